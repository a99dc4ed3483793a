"""The jobs of a grid before any has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

MOST_COMPOSED = 256  # jobs whose configurations are kept, of about 1 MB each at most

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


def compose_once(config: DictConfig) -> None:
    """Lets a job that hydra's sweeper has composed, to refuse a mistake before any job begins, be launched without
    being composed again. Only for hydra's own sweeper and launcher, which do both in this process."""
    targets = (config.hydra.sweeper._target_, config.hydra.launcher._target_)
    if not targets[0].endswith(".BasicSweeper") or not targets[1].endswith(".BasicLauncher"):
        return
    loader = GlobalHydra.instance().config_loader()
    compose, composed = loader.load_sweep_config, {}

    def load_sweep_config(master_config: Any, sweep_overrides: list[str]) -> Any:
        key = tuple(sweep_overrides)
        if key in composed:
            return composed.pop(key)
        found = compose(master_config, sweep_overrides)
        if len(composed) < MOST_COMPOSED:
            composed[key] = found  # the sweeper looks at it only
        return found

    loader.load_sweep_config = load_sweep_config
