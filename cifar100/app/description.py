"""The description of a run in its record."""

import logging
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cifar100.config import MODEL_GROUPS, ConfigError, recipe
from cifar100.data.images import ImageData
from cifar100.record import RunDirectory

log = logging.getLogger(__name__)

MOST_NAMES = 2**18  # characters of class names that environment.json holds; more would not be read again
# What a design may bring of its recipe; on the data all designs of a table agree.
RECIPE_OF_A_DESIGN = ("augment", "loss", "optimizer", "scheduler", "trainer", "ema_decay")
RECIPE_OF_A_DESIGN += ("ema_warmup", "early_stopping_patience", "init_from", "freeze", "backbone_lr_factor", "pruning")
# Overrides that a record does not tell: places on this machine.
OF_THIS_MACHINE = ("data.path=", "data.cache_dir=", "root=", "init_from=", "loss.teacher=", "teacher=", "source=")


def description(config: DictConfig) -> dict[str, Any]:
    """The record's config.yaml: the recipe, without paths of this machine, what the choices and the run are called."""
    values = recipe(config)
    values["data"] = {key: value for key, value in values["data"].items() if key not in ("path", "cache_dir")}
    hydra = HydraConfig.get()
    choices = OmegaConf.to_container(hydra.runtime.choices)
    groups = (
        *MODEL_GROUPS,
        "data",
        "augment",
        "loss",
        "optimizer",
        "scheduler",
        "pruning",
        "trainer",
        "experiment",
        "row",
    )
    return values | {
        "label": config.label,
        "own_recipe": own_recipe(config),
        "choices": {group: choices.get(group) for group in groups},
        "overrides": [each for each in hydra.overrides.task if not each.lstrip("+").startswith(OF_THIS_MACHINE)],
    }


def trained_on(data: ImageData) -> dict[str, Any]:
    """Which images a run saw, for environment.json, and what a prediction needs of them: the names of the classes in
    the order of the logits, mean and deviation of each channel in 0..1."""
    about = {"name": data.name, "fingerprint": data.fingerprint, "mean": list(data.mean), "std": list(data.std)}
    return about | ({"class_names": list(data.class_names)} if sum(map(len, data.class_names)) < MOST_NAMES else {})


def own_recipe(config: DictConfig) -> list[str] | None:
    """The parts of the recipe that the run declares to belong to its design: groups, or dotted keys below one, such as
    ``optimizer`` and ``trainer.per_device_train_batch_size``. A report compares rows that differ in nothing else.

    Raises:
        ConfigError: ``own_recipe`` names what is no part of the recipe, in one line.
    """
    declared = config.own_recipe
    if declared is None:
        return None
    keys = OmegaConf.to_container(declared) if OmegaConf.is_list(declared) else [declared]
    for key in keys:
        known = isinstance(key, str) and key.partition(".")[0] in RECIPE_OF_A_DESIGN
        if not known or OmegaConf.select(config, key, default=config) is config:
            raise ConfigError(
                f"own_recipe has {key!r}, which is no part of the recipe; list some of "
                f"{', '.join(RECIPE_OF_A_DESIGN)}, or options of them such as optimizer.lr"
            )
    return keys or None


def objective(record: RunDirectory) -> float | None:
    """The objective of a search for hyper-parameters: the best top-1 accuracy on held-out images, None without them."""
    best = (record.summary() or {}).get("best") or {}
    return value if isinstance(value := best.get("val/top1"), int | float) else None


def log_result(record: RunDirectory) -> None:
    """Logs the best and the last epoch of a finished run."""
    summary = record.summary() or {}
    for name in ("best", "last"):
        if row := summary.get(name):
            known = [key for key in sorted(row) if "/" in key and isinstance(row[key], int | float)]  # not nan, as null
            metrics = "  ".join(f"{key} {row[key]:.4f}" for key in known)
            log.info("%s epoch %s: %s", name, row.get("epoch"), metrics)
