"""Networks from run records, which are data from anywhere and never trusted."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from cifar100.base.conf import CONF, MODEL_GROUPS
from cifar100.base.errors import ConfigError
from cifar100.base.trees import items
from cifar100.config.instantiation import build
from cifar100.config.own_code import own_folders

LARGEST_RECORD = 10_000  # keys and values of a record's model; those of this project have a few hundred


def load_model(config: Mapping[str, Any], extra_conf: Iterable[Path] = ()) -> Any:
    """Builds the ``model`` of a run record, which is data from anywhere and never trusted.

    Args:
        config: a record's ``config.yaml``.
        extra_conf: further configuration folders of the user's own whose targets are admitted, besides those that the
            present command names (:func:`~cifar100.config.own_code.trusting`).

    Raises:
        ConfigError: a target that does not stand literally in this checkout's model groups, an interpolation, a key by
            which hydra would do more than call a target, or a description that no network can be built from.
    """
    model = config.get("model")
    if not isinstance(model, dict) or "_target_" not in model:
        raise ConfigError("the record's config.yaml describes no model; it is damaged or not a run of this project")
    folders = (*own_folders(), *extra_conf)
    try:
        _check_trusted(model, _admitted(MODEL_GROUPS, folders))
        if model.get("_partial_") or model["_target_"] not in _admitted(("model",), folders):
            raise ConfigError(f"the record's model is a {model['_target_']}, which is no whole network")
        return build(OmegaConf.create(model))
    except Exception as error:  # whatever a constructor makes of it, data from anywhere is no bug of this program
        cause = error.__cause__ or error
        text = f"the record's model cannot be built: {type(cause).__name__}: {cause}"
        text = str(error) if isinstance(error, ConfigError) else text
        raise ConfigError("".join(each if each.isprintable() else " " for each in text)[:300]) from None


def _check_trusted(model: dict[str, Any], trusted: frozenset[str]) -> None:
    """Refuses what a record of this project would not hold, before hydra sees it."""
    for index, (key, value) in enumerate(items(model)):
        if index > LARGEST_RECORD:
            raise ConfigError(f"the record's model has more than {LARGEST_RECORD} entries, which no record has")
        if isinstance(value, str) and "${" in value:
            raise ConfigError(f"the record's model holds an interpolation ({key}: {value[:60]}), which no record has")
        if key == "_target_" and not (isinstance(value, str) and value in trusted):
            raise ConfigError(
                f"the record's model names {str(value)[:80]!r}, which is not a primitive of this checkout; "
                "where it is your own, name its folder: --config-dir <conf>, or conf=<conf> in Python"
            )
        if key == "_partial_" and not isinstance(value, bool):
            raise ConfigError(
                f"the record's model holds _partial_: {str(value)[:60]!r}, which is neither true nor false"
            )
        if isinstance(key, str) and key.startswith("_") and key not in ("_target_", "_partial_"):
            raise ConfigError(f"the record's model holds the key {key[:60]!r}, which no record has")


def _admitted(groups: tuple[str, ...], folders: Iterable[Path]) -> frozenset[str]:
    """The targets of this project, which do not change, and of the user's folders as they are now."""
    own = (trusted_targets.__wrapped__(folder, groups) for folder in folders)
    return trusted_targets(CONF, groups).union(*own)


@cache
def trusted_targets(folder: Path = CONF, groups: tuple[str, ...] = MODEL_GROUPS) -> frozenset[str]:
    """Every ``_target_`` that stands in the model groups of a configuration folder, the frame of all its recipes, which
    train.yaml states, among them."""
    nodes = [_read(file) for group in groups for file in sorted((folder / group).glob("*.yaml"))]
    if "model" in groups and (frame := folder / "train.yaml").is_file():
        nodes.append((_read(frame) or {}).get("model"))
    return frozenset(value for node in nodes for key, value in items(node) if key == "_target_")


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
