"""From a composed configuration to objects: the only caller of hydra's ``instantiate``; run identity; trusted names."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

CHECKOUT = Path(__file__).parents[1] / "conf"
CONF = CHECKOUT if CHECKOUT.is_dir() else Path(str(files("cifar100") / "conf"))

PRIMITIVES = ("norm", "activation", "attention", "mixer", "downsample", "stem", "head", "init", "stage", "block")
MODEL_GROUPS = ("model", *PRIMITIVES)
RECIPE = ("model", "data", "augment", "loss", "optimizer", "scheduler", "trainer", "ema_decay", "seed")
# What changes where a run reads and how fast it goes, not what it computes.
WITHOUT_EFFECT = {"data": ("path", "cache_dir"), "trainer": ("dataloader_num_workers", "disable_tqdm")}
LARGEST_RECORD = 10_000  # keys and values of a record's model; those of this project have a few hundred
# What a reader takes for granted and the readable part of a run id leaves out.
USUAL = {"conv", "strided", "linear", "identity", "batchnorm2d", "relu", "sgd", "cifar100"}


class ConfigError(ValueError):
    """A user's mistake in the configuration, told in one line."""


def build(node: Any, **arguments: Any) -> Any:
    """Instantiates ``node`` and all nodes in it; lists and dictionaries arrive as plain Python.

    Raises:
        ConfigError: what a constructor refused, as it put it, or an option that it does not have.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        return instantiate(node, _convert_="all", **arguments)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ValueError):
            raise ConfigError(str(cause)) from None
        if isinstance(cause, OSError):
            raise cause from None
        if isinstance(cause, TypeError) and "unexpected keyword argument" in str(cause):
            raise ConfigError(f"{cause}; see conf/ for the options of each choice") from None
        raise


def recipe(config: DictConfig) -> dict[str, Any]:
    """What determines a run's result, as plain data without interpolations; the record's ``config.yaml``."""
    return {key: _plain(config[key]) for key in RECIPE}


def identity(config: DictConfig) -> str:
    """The first 8 hexadecimal digits of the SHA-256 of :func:`recipe`, less what has no effect on the result."""
    content = recipe(config)
    for key, names in WITHOUT_EFFECT.items():
        content[key] = {name: value for name, value in content[key].items() if name not in names}
    text = json.dumps(_canonical(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run_id(config: DictConfig) -> str:
    """The folder name of a run: what its parts are called, then :func:`identity`. A function of the resolved
    configuration alone, so an experiment has one folder however it was typed."""
    content = recipe(config)
    model = content["model"]
    words = [_find(model, "block")]
    words += ["d" + _dashed(model["depths"]), "w" + _dashed(model["widths"])]
    words += [_find(model, key) for key in ("stem", "stage", "mixer", "attention", "norm", "activation")]
    words += [content["data"]["name"], _leaf(content["optimizer"])]
    words = [word for index, word in enumerate(words) if word and (index < 3 or word not in USUAL)]
    words += [
        "e" + _dashed(_canonical(content["trainer"]["num_train_epochs"])),
        f"seed{content['seed']}",
        identity(config),
    ]
    return re.sub(r"[^a-z0-9._-]+", "_", "-".join(words).lower())


def register_resolvers() -> None:
    """Makes ``${run_id:}`` known to OmegaConf, for ``hydra.run.dir`` and ``hydra.sweep.subdir``."""
    OmegaConf.register_new_resolver("run_id", lambda *, _root_: run_id(_root_), replace=True)


def check_typed_choices(config: DictConfig, overrides: Iterable[str]) -> None:
    """Refuses what the user typed and the network does not use, such as ``downsample=avgpool`` where no stage has a
    downsample layer.

    Args:
        config: as composed, interpolations unresolved.
        overrides: as typed, ``group=choice`` or ``group.option=value``.

    Raises:
        ConfigError: with the choices that would use it.
    """
    used = _references(OmegaConf.to_container(config, resolve=False), "model")
    for override in overrides:
        group = re.split(r"[.@=]", override.lstrip("+~"))[0]
        if group in PRIMITIVES and group not in used:
            users = sorted(
                f"{file.parent.name}={file.stem}"
                for file in CONF.glob("*/*.yaml")
                if f"${{{group}}}" in file.read_text(encoding="utf-8") and file.parent.name in MODEL_GROUPS
            )
            raise ConfigError(
                f"{override} has no effect: no part of this network uses {group}; "
                f"leave it out, or add one that does: {', '.join(users) or 'none here'}"
            )


def load_model(config: Mapping[str, Any], extra_conf: Iterable[Path] = ()) -> Any:
    """Builds the ``model`` of a run record, which is data from anywhere and never trusted.

    Args:
        config: a record's ``config.yaml``.
        extra_conf: further configuration folders of the user's own whose targets are admitted.

    Raises:
        ConfigError: a target that does not stand literally in this checkout's model groups, an interpolation, a key by
            which hydra would do more than call a target, or a description that no network can be built from.
    """
    model = config.get("model")
    if not isinstance(model, dict) or "_target_" not in model:
        raise ConfigError("the record's config.yaml describes no model; it is damaged or not a run of this project")
    folders = (CONF, *extra_conf)
    try:
        _check_trusted(model, frozenset().union(*map(trusted_targets, folders)))
        if model.get("_partial_") or not any(
            model["_target_"] in trusted_targets(each, ("model",)) for each in folders
        ):
            raise ConfigError(f"the record's model is a {model['_target_']}, which is no whole network")
        return build(OmegaConf.create(model))
    except Exception as error:  # whatever a constructor makes of it, data from anywhere is no bug of this program
        cause = error.__cause__ or error
        text = f"the record's model cannot be built: {type(cause).__name__}: {cause}"
        text = str(error) if isinstance(error, ConfigError) else text
        raise ConfigError("".join(each if each.isprintable() else " " for each in text)[:300]) from None


def _check_trusted(model: dict[str, Any], trusted: frozenset[str]) -> None:
    """Refuses what a record of this project would not hold, before hydra sees it."""
    for index, (key, value) in enumerate(_items(model)):
        if index > LARGEST_RECORD:
            raise ConfigError(f"the record's model has more than {LARGEST_RECORD} entries, which no record has")
        if isinstance(value, str) and "${" in value:
            raise ConfigError(f"the record's model holds an interpolation ({key}: {value[:60]}), which no record has")
        if key == "_target_" and not (isinstance(value, str) and value in trusted):
            raise ConfigError(
                f"the record's model names {str(value)[:80]!r}, which is not a primitive of this checkout"
            )
        if key == "_partial_" and not isinstance(value, bool):
            raise ConfigError(
                f"the record's model holds _partial_: {str(value)[:60]!r}, which is neither true nor false"
            )
        if isinstance(key, str) and key.startswith("_") and key not in ("_target_", "_partial_"):
            raise ConfigError(f"the record's model holds the key {key[:60]!r}, which no record has")


@cache
def trusted_targets(folder: Path = CONF, groups: tuple[str, ...] = MODEL_GROUPS) -> frozenset[str]:
    """Every ``_target_`` that stands in the model groups of a configuration folder."""
    found = set()
    for group in groups:
        for file in sorted((folder / group).glob("*.yaml")):
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            found |= {value for key, value in _items(content) if key == "_target_"}
    return frozenset(found)


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _canonical(value: Any) -> Any:
    """``value`` with whole floats as integers, so that 15 and 15.0 are one experiment."""
    if isinstance(value, dict):
        return {str(key): _canonical(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _items(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every key and value of nested dictionaries and lists."""
    pairs = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, value in pairs:
        yield key, value
        yield from _items(value)


def _find(node: Any, wanted: str) -> str | None:
    """What the first ``wanted`` in a resolved tree is called."""
    return next((_leaf(value) for key, value in _items(node) if key == wanted and isinstance(value, Mapping)), None)


def _dashed(value: Any) -> str:
    """``1-2`` for ``[1, 2]``; values of wrong types are refused where they are used."""
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def _leaf(node: Mapping[str, Any]) -> str:
    """``eca`` for ``cifar100.models.attention.eca.EfficientChannelAttention``, ``relu`` for ``torch.nn.ReLU``."""
    *modules, name = str(node.get("_target_", "")).split(".")
    return modules[-1] if modules and modules[0] == "cifar100" else name.lower()


def _references(tree: dict[str, Any], start: str) -> set[str]:
    """The top-level keys that ``start`` refers to by ``${key}``, directly or through others."""
    found, waiting = set(), [start]
    while waiting:
        strings = [value for _, value in _items({"": tree.get(waiting.pop())}) if isinstance(value, str)]
        for name in re.findall(r"\$\{(\w+)[}.]", " ".join(strings)):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
