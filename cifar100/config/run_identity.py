"""The identity of a run and the name of its folder: a function of the resolved configuration alone."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import signature
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.base.conf import RECIPE, SINCE, SINCE_BELOW, effective, rows, table
from cifar100.base.trees import canonical, flat
from cifar100.config.run_name import dashed, readable

LONGEST = 240  # characters of a name before its identity; file systems take 255 bytes
# Records and identities name what has moved by its place of the time when records began.
RECORDED_AS = {
    "cifar100.losses.cross_entropy.cross_entropy": "cifar100.training.cross_entropy.cross_entropy",
    **{
        f"cifar100.optim.schedules.{name}": f"cifar100.optim.{name}.{name}"
        for name in ("constant", "cosine", "linear", "multistep", "onecycle", "step", "wsd")
    },
}


def recipe(config: DictConfig) -> dict[str, Any]:
    """Whatever determines a run's result, as plain data without interpolations; the record's ``config.yaml``."""
    values = {key: _recorded(_plain(config[key])) for key in RECIPE}
    for group, since in SINCE_BELOW.items():
        kept = {key: value for key, value in values[group].items() if key not in since or value != since[key]}
        values[group] = kept
    values |= {key: _plain(config[key]) for key, value in SINCE.items() if config.get(key, value) != value}
    for node, key in ((values, "init_from"), (values["loss"], "teacher")):
        if isinstance(node.get(key), str):
            node[key] = named_weights(node[key])
    return values


def named_weights(source: str) -> str:
    """The name of a folder's weights in a recipe: the folder's own, not its place, and the first 8
    hexadecimal digits of the SHA-256 of its best or last checkpoint. A repository of the Hub is called by its address.
    """
    for name in ("checkpoints/best.safetensors", "checkpoints/last.safetensors", "model.safetensors"):
        file = Path(source) / name
        if file.is_file():
            status = file.stat()
            return f"{Path(source).resolve().name}@{_digest(file, status.st_size, status.st_mtime_ns)}"
    return source


@lru_cache(maxsize=64)
def _digest(file: Path, size: int, modified_ns: int) -> str:
    """Of one state of the file, since a run's name is asked for several times."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:8]


def identity(config: DictConfig) -> str:
    """The first 8 hexadecimal digits of the SHA-256 of :func:`recipe`, less what has no effect on the result."""
    return _hash(recipe(config))


def _hash(values: dict[str, Any]) -> str:
    text = json.dumps(canonical(effective(values)), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def difference(recorded: Mapping[str, Any], config: DictConfig) -> str | None:
    """The first option by which the experiment of a record's ``config.yaml`` is another than ``config``, with both
    values; None where they are one experiment."""
    known = {key: recorded[key] for key in (*RECIPE, *SINCE) if key in recorded}
    theirs, ours = (flat(canonical(effective(each))) for each in (known, recipe(config)))
    for key in sorted(theirs.keys() | ours.keys()):
        values = [each.get(key, "absent") for each in (theirs, ours)]
        if values[0] != values[1]:
            return f"{key} is {values[0]} there and {values[1]} here"
    return None


def run_id(config: DictConfig) -> str:
    """The folder name of a run: what reads aloud, then :func:`identity`. A function of the resolved configuration, so
    an experiment has one folder however it was typed."""
    values = recipe(config)
    trainer = canonical(values["trainer"])
    length = f"s{trainer['max_steps']}" if "max_steps" in trainer else f"e{dashed(trainer['num_train_epochs'])}"
    words = "-".join([readable(values), *_tried(config), length, f"seed{values['seed']}"])[:LONGEST]
    return re.sub(r"[^a-z0-9._-]+", "_", f"{words}-{_hash(values)}".lower())


def run_folder(config: DictConfig) -> str:
    """As :func:`run_id`, but the name of the folder where one of that identity stands already: folders were called
    otherwise before, and what their run began is continued."""
    name = run_id(config)
    place = Path(str(config.get("root", ""))) / str(config.get("study", ""))
    if (place / name).is_dir():
        return name
    digest = name.rpartition("-")[2]
    found = sorted(place.glob(f"*-{digest}/config.yaml")) if place.is_dir() else []
    return found[0].parent.name if found else name


def _tried(config: DictConfig) -> list[str]:
    """The values that a trial of a search tries: ``lr0.0123`` for ``optimizer.lr=0.0123``."""
    searched, words = OmegaConf.select(config, "hydra.sweeper.searched"), []
    for override in config.hydra.overrides.task if searched else ():
        key, _, value = override.partition("=")
        if key in searched:
            number = re.fullmatch(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", value)
            words.append(f"{key.rpartition('.')[2]}{float(value):.3g}" if number else value)
    return words


def register_resolvers(**others: Callable[..., Any]) -> None:
    """Makes ``${run_id:}``, for ``hydra.run.dir`` and ``hydra.sweep.subdir``, experiments' ``${rows:...}`` and
    ``${table:...}``, and ``others`` known to OmegaConf."""
    register = OmegaConf.register_resolver  # which in OmegaConf 2.3 is the name of an older kind
    if "replace" not in signature(register).parameters:
        register = OmegaConf.register_new_resolver
    for name, resolver in {"rows": rows, "table": table, "run_id": _folder_of, **others}.items():
        register(name, resolver, replace=True)  # type: ignore[call-arg]


def _folder_of(*, _root_: DictConfig) -> str:
    return run_folder(_root_)


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _recorded(value: Any) -> Any:
    """``value`` with every target as records name it."""
    if isinstance(value, dict):
        return {
            key: RECORDED_AS.get(each, each) if key == "_target_" else _recorded(each) for key, each in value.items()
        }
    return [_recorded(each) for each in value] if isinstance(value, list) else value
