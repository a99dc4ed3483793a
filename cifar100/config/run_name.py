"""The part of a run's folder name that reads aloud: its recipe where conf/model has it, and what differs from that."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cifar100.base.conf import CONF
from cifar100.base.trees import items, leaf_name

# What a reader takes for granted where no recipe says otherwise.
USUAL = {"conv", "strided", "linear", "identity", "batchnorm2d", "relu", "sgd", "cifar100"}
PARTS = ("block", "stem", "stage", "mixer", "attention", "norm", "activation")
LONGEST = 120  # characters


def readable(config: Mapping[str, Any]) -> str:
    """``resnet20-eca`` for a recipe with another attention; ``basic-d1-1-1-w8-8-8-eca`` where no recipe of conf/model
    has these depths and widths. A function of the resolved recipe alone, however it was typed."""
    model = config["model"]
    ours = {part: named(model, part) for part in PARTS}
    recipe = nearest_recipe(model, ours)
    if recipe is None:
        words = [ours["block"] or "", "d" + dashed(model["depths"]), "w" + dashed(model["widths"])]
        words += [ours[part] for part in PARTS[1:] if ours[part] and ours[part] not in USUAL]
    else:
        own = _recipes()[recipe][1]
        changed = [part for part in PARTS if ours[part] != own[part] and ours[part]]
        words = [recipe, *(f"no_{part}" if ours[part] == "identity" else ours[part] for part in changed)]
    others = (config["data"]["name"], leaf_name(config["optimizer"].get("_target_", "")))
    words += [word for word in others if word not in USUAL]
    if few := config["data"].get("images_per_class"):
        words.append(f"{few}_a_class")
    if pruning := config.get("pruning"):
        words.append(f"sparse{dashed(pruning['sparsity'])}" if "sparsity" in pruning else "pruned")
    return "-".join(dict.fromkeys(filter(None, words)))[:LONGEST]


def nearest_recipe(model: Mapping[str, Any], ours: Mapping[str, str | None]) -> str | None:
    """The recipe of the same depths and widths that has most parts in common; the first of several."""
    size = (dashed(model["depths"]), dashed(model["widths"]))
    alike = {name: own for name, (own_size, own) in _recipes().items() if own_size == size}
    if not alike or dashed(model.get("width_multiplier", 1)) not in ("1", "1.0"):
        return None
    return max(alike, key=lambda name: sum(alike[name][part] == ours[part] for part in PARTS))


@cache
def _recipes() -> dict[str, tuple[tuple[str, str], dict[str, str | None]]]:
    """Depths and widths, and what the parts are called, of every recipe; the default recipe first."""
    found = {}
    default = _chosen(CONF / "train.yaml")["model"]
    for file in sorted((CONF / "model").glob("*.yaml"), key=lambda file: (file.stem != default, file.stem)):
        model = (_read(file) or {}).get("model", {})
        chosen = {**_chosen(CONF / "train.yaml"), **_block_brings(file), **_chosen(file)}
        parts = {part: _leaf_of(part, chosen[part]) for part in PARTS}
        found[file.stem] = ((dashed(model.get("depths")), dashed(model.get("widths"))), parts)
    return found


def _block_brings(recipe: Path) -> dict[str, str]:
    block = _chosen(recipe).get("block") or _chosen(CONF / "train.yaml")["block"]
    return _chosen(CONF / "block" / f"{block}.yaml")


def _chosen(file: Path) -> dict[str, str]:
    """The choices that a file's defaults list makes for the whole network."""
    options = _read(file) or {}
    pairs = [pair for each in options.get("defaults", ()) if isinstance(each, dict) for pair in each.items()]
    return {key.removeprefix("override ").lstrip("/"): choice for key, choice in pairs if "@" not in key}


def _leaf_of(group: str, choice: str) -> str | None:
    options = _read(CONF / group / f"{choice}.yaml") or {}
    return leaf_name(options.get(group, options).get("_target_", ""))


@cache
def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def named(node: Any, wanted: str) -> str | None:
    """The name of the first ``wanted`` in a resolved tree."""
    found = (value for key, value in items(node) if key == wanted and isinstance(value, Mapping))
    return next((leaf_name(value.get("_target_", "")) for value in found), None)


def dashed(value: Any) -> str:
    """``1-2`` for ``[1, 2]``; values of wrong types are refused where they are used."""
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
