"""What a record tells of its run."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cifar100.config import MODEL_GROUPS, recipe

OF_THIS_MACHINE = ("data.path=", "data.cache_dir=", "root=")  # overrides that a record does not tell


def description(config: DictConfig) -> dict[str, Any]:
    """The record's config.yaml: the recipe, without paths of this machine, what the choices and the run are called."""
    content = recipe(config)
    content["data"] = {key: value for key, value in content["data"].items() if key not in ("path", "cache_dir")}
    hydra = HydraConfig.get()
    choices = OmegaConf.to_container(hydra.runtime.choices)
    groups = (*MODEL_GROUPS, "data", "augment", "loss", "optimizer", "scheduler", "trainer", "experiment", "row")
    return content | {
        "label": config.label,
        "choices": {group: choices.get(group) for group in groups},
        "overrides": [each for each in hydra.overrides.task if not each.lstrip("+").startswith(OF_THIS_MACHINE)],
    }
