"""What a record tells of its run."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cifar100.config import MODEL_GROUPS, recipe
from cifar100.data.images import ImageData

MOST_NAMES = 2**18  # characters of class names that environment.json holds; more would not be read again
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


def trained_on(data: ImageData) -> dict[str, Any]:
    """Which images a run saw, for environment.json, and what a prediction needs of them: the names of the classes in
    the order of the logits, mean and deviation of each channel in 0..1."""
    about = {"name": data.name, "fingerprint": data.fingerprint, "mean": list(data.mean), "std": list(data.std)}
    return about | ({"class_names": list(data.class_names)} if sum(map(len, data.class_names)) < MOST_NAMES else {})
