"""Refusals before a run is under way."""

import os

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cifar100.app.agreement import check_keys
from cifar100.app.description import own_recipe
from cifar100.app.trackers import check_tracker
from cifar100.base.errors import UserError
from cifar100.config import build, check_typed_choices


def check(config: DictConfig) -> None:
    """Refuses what no other part looks at before the run is under way: ValueError in one line."""
    typed = list(HydraConfig.get().overrides.task)
    check_keys(config, typed)
    check_typed_choices(config, typed)
    if isinstance(config.seed, bool) or not isinstance(config.seed, int) or not 0 <= config.seed < 2**63:
        raise UserError(f"seed={config.seed} must be a whole number from 0 to 2**63 - 1")
    check_tracker(config.tracker.name)
    own_recipe(config)
    choices = HydraConfig.get().runtime.choices
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        for group in ("hydra/launcher", "hydra/sweeper"):
            if choices.get(group) != "basic":
                raise UserError(f"{group}={choices.get(group)} cannot serve a run of several processes; leave one out")
    if not isinstance(config.force, bool):
        raise UserError(f"force={config.force} must be true or false")


def check_options(config: DictConfig) -> None:
    """Refuses options of the optimizer and the schedule before a folder is made: ValueError in one line."""
    for part in ("optimizer", "scheduler"):
        build(config[part])
