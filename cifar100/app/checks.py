"""Refusals before a run is under way."""

import os
import sys

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cifar100.app.agreement import check_keys
from cifar100.app.description import own_recipe
from cifar100.app.trackers import check_tracker
from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, check_whole
from cifar100.config import build, check_typed_choices


def check(config: DictConfig) -> None:
    """Refuses what no other part looks at before the run is under way: ValueError in one line."""
    typed = list(HydraConfig.get().overrides.task)
    check_keys(config, typed)
    check_typed_choices(config, typed)
    check_whole("seed", config.seed, least=0, most=2**63 - 1)
    check_tracker(config.tracker.name)
    own_recipe(config)
    choices = HydraConfig.get().runtime.choices
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        for group in ("hydra/launcher", "hydra/sweeper"):
            if choices.get(group) != "basic":
                raise UserError(f"{group}={choices.get(group)} cannot serve a run of several processes; leave one out")
    check_flag("force", config.force)
    _check_hidden_gpus()


def check_options(config: DictConfig) -> None:
    """Refuses options of optimizer, schedule and pruning before a folder is made: ValueError in one line."""
    for part in ("optimizer", "scheduler", "pruning"):
        build(config[part])


def _check_hidden_gpus() -> None:
    """Refuses a task of Ray's that would train on a CPU since it asked for no GPU of a cluster that has some."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return
    asked = OmegaConf.select(HydraConfig.get(), "launcher.ray.remote.num_gpus", default=None)
    if asked == 0 and ray.cluster_resources().get("GPU"):
        raise UserError(
            "hydra.launcher.ray.remote.num_gpus=0 hides the cluster's GPUs; use 1, a fraction such as 0.25 for four "
            "runs on each, or null to train on CPUs"
        )
