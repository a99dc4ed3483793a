"""What a run is called and known by: a function of the resolved configuration alone."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.base.conf import RECIPE, SINCE, SINCE_BELOW, effective, rows, table
from cifar100.base.trees import canonical, items, leaf_name

# Records and identities name what has moved by its place of the time when records began.
RECORDED_AS = {
    "cifar100.losses.cross_entropy.cross_entropy": "cifar100.training.cross_entropy.cross_entropy",
    **{
        f"cifar100.optim.schedules.{name}": f"cifar100.optim.{name}.{name}"
        for name in ("constant", "cosine", "linear", "multistep", "onecycle", "step", "wsd")
    },
}
# What a reader takes for granted and the readable part of a run id leaves out.
USUAL = {"conv", "strided", "linear", "identity", "batchnorm2d", "relu", "sgd", "cifar100"}


def recipe(config: DictConfig) -> dict[str, Any]:
    """What determines a run's result, as plain data without interpolations; the record's ``config.yaml``."""
    content = {key: _recorded(_plain(config[key])) for key in RECIPE}
    for group, since in SINCE_BELOW.items():
        kept = {key: value for key, value in content[group].items() if key not in since or value != since[key]}
        content[group] = kept
    content |= {key: _plain(config[key]) for key, value in SINCE.items() if config.get(key, value) != value}
    for node, key in ((content, "init_from"), (content["loss"], "teacher")):
        if isinstance(node.get(key), str):
            node[key] = named_weights(node[key])
    return content


def named_weights(source: str) -> str:
    """What recipes call the weights of a run directory or another folder: its name, not its place, and the first 8
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
    text = json.dumps(canonical(effective(recipe(config))), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run_id(config: DictConfig) -> str:
    """The folder name of a run: what its parts are called, then :func:`identity`. A function of the resolved
    configuration alone, so an experiment has one folder however it was typed."""
    content = recipe(config)
    model = content["model"]
    words = [_find(model, "block")]
    words += ["d" + _dashed(model["depths"]), "w" + _dashed(model["widths"])]
    words += [_find(model, key) for key in ("stem", "stage", "mixer", "attention", "norm", "activation")]
    words += [content["data"]["name"], leaf_name(content["optimizer"].get("_target_", ""))]
    words = [word for index, word in enumerate(words) if word and (index < 3 or word not in USUAL)]
    trainer = canonical(content["trainer"])
    words += [
        f"s{trainer['max_steps']}" if "max_steps" in trainer else f"e{_dashed(trainer['num_train_epochs'])}",
        f"seed{content['seed']}",
        identity(config),
    ]
    return re.sub(r"[^a-z0-9._-]+", "_", "-".join(words).lower())


def register_resolvers() -> None:
    """Makes ``${run_id:}``, for ``hydra.run.dir`` and ``hydra.sweep.subdir``, and experiments' ``${rows:...}`` and
    ``${table:...}`` known to OmegaConf."""
    OmegaConf.register_new_resolver("rows", rows, replace=True)
    OmegaConf.register_new_resolver("table", table, replace=True)
    OmegaConf.register_new_resolver("run_id", lambda *, _root_: run_id(_root_), replace=True)


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _recorded(value: Any) -> Any:
    """``value`` with every target as records name it."""
    if isinstance(value, dict):
        return {
            key: RECORDED_AS.get(each, each) if key == "_target_" else _recorded(each) for key, each in value.items()
        }
    return [_recorded(each) for each in value] if isinstance(value, list) else value


def _find(node: Any, wanted: str) -> str | None:
    """The name of the first ``wanted`` in a resolved tree."""
    found = (value for key, value in items(node) if key == wanted and isinstance(value, Mapping))
    return next((leaf_name(value.get("_target_", "")) for value in found), None)


def _dashed(value: Any) -> str:
    """``1-2`` for ``[1, 2]``; values of wrong types are refused where they are used."""
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
