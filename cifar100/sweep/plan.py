"""The jobs of a grid before any has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

if TYPE_CHECKING:
    from omegaconf import DictConfig


def planned(config: DictConfig) -> list[list[str]]:
    """Each job's overrides, in order, as hydra's own sweeper will make them; none for another sweeper, whose later jobs
    depend on the results of earlier ones."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    sweeper = config.hydra.sweeper
    if not sweeper._target_.endswith(".BasicSweeper"):
        return []
    arguments = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    overrides = parser.parse_overrides(arguments + list(config.hydra.overrides.task))
    return [job for batch in BasicSweeper.split_arguments(overrides, None) for job in batch]
