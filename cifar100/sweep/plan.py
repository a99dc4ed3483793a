"""The jobs of a grid before any has begun, and the composition of each."""

from __future__ import annotations

import copy
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, read_write
from omegaconf.errors import InterpolationResolutionError, InterpolationToMissingValueError

MOST_COMPOSED = 256  # jobs whose configurations are kept, of about 1 MB each at most

if TYPE_CHECKING:
    from omegaconf import DictConfig

_faults: dict[tuple[str, ...], Exception] = {}


def planned(config: DictConfig) -> list[list[str]]:
    """Each job's overrides, in order, as hydra's own sweeper will make them; none for another sweeper, whose later jobs
    depend on the results of earlier ones."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    sweeper = config.hydra.sweeper
    if not sweeper._target_.endswith(".BasicSweeper"):
        return []
    arguments = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    typed = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)  # its ${...} are the jobs' to resolve
    overrides = parser.parse_overrides(arguments + typed)
    return [job for batch in BasicSweeper.split_arguments(overrides, None) for job in batch]


def compose_apart(config: DictConfig, folder: Path) -> None:
    """Lets :class:`Composer` compose the jobs of the sweep that has this folder."""
    loader = GlobalHydra.instance().config_loader()
    # Other sweepers compose nothing beforehand: what they launch twice would be met again as its first job left it.
    targets = (config.hydra.sweeper._target_, config.hydra.launcher._target_)
    here = targets[0].endswith(".BasicSweeper") and targets[1].endswith(".BasicLauncher")
    loader.load_sweep_config = Composer(loader, folder, MOST_COMPOSED if here else 0)


def fault(overrides: list[str]) -> Exception | None:
    """Why the job that has begun here with these overrides could not be composed, or has no folder."""
    return _faults.pop(tuple(overrides), None)


class Composer:
    """In the place of a loader's ``load_sweep_config``, which sweepers call for each job, to refuse mistakes before any
    begins, and launchers again, to run it.

    What the sweeper had composed goes to a launcher of this process. A job whose configuration cannot be composed any
    more once jobs have begun, such as by a file of conf/ that is being edited, or whose folder cannot be made, fails
    alone: hydra, which would end the sweep there, gets a stand-in for it, and :func:`fault` has the reason.

    Args:
        loader: hydra's.
        folder: of the sweep.
        keep: how many compositions to keep for a launcher of this process.
    """

    def __init__(self, loader: Any, folder: Path, keep: int) -> None:
        self.loader, self.folder, self.keep = loader, folder, keep
        self.seen: set[tuple[str, ...]] | None = set()
        self.composed: dict[tuple[str, ...], DictConfig] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"seen": None, "composed": {}}  # another process launches only

    def __call__(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        key = tuple(sweep_overrides)
        if self.seen is None or key in self.seen or any(self.folder.glob("*.json")):
            return self._launched(master_config, key)
        found = self._compose(master_config, key)
        self.seen.add(key)
        if len(self.composed) < self.keep:
            self.composed[key] = found  # the sweeper looks at it only
        return found

    def _compose(self, master: DictConfig, key: tuple[str, ...]) -> DictConfig:
        return type(self.loader).load_sweep_config(self.loader, master, list(key))

    def _launched(self, master: DictConfig, key: tuple[str, ...]) -> DictConfig:
        _faults.pop(key, None)
        try:
            config = self.composed.pop(key) if key in self.composed else self._compose(master, key)
            try:
                Path(config.hydra.sweep.dir, config.hydra.sweep.subdir).mkdir(parents=True, exist_ok=True)
            except InterpolationResolutionError as error:
                # What the launcher sets, such as hydra.job.num, and ${hydra:...} are known to the job alone.
                unset = isinstance(error, InterpolationToMissingValueError) or "HydraConfig was not set" in str(error)
                if not unset:
                    raise
            return config
        except Exception as error:
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                raise  # the run's other processes may have composed it, and would wait for this one
            _faults[key] = error
            config = copy.deepcopy(master)
            with read_write(config.hydra):
                config.hydra.overrides.task = list(key)
                config.hydra.sweep.dir, config.hydra.sweep.subdir = str(self.folder.parent), self.folder.name
            return config


def ask_no_accounts(config: DictConfig) -> None:
    """Where Slurm keeps no accounts, submitit's questions for them would be errors on the terminal, over and over; it
    learns from files that a job has ended, too."""
    if not config.hydra.launcher._target_.endswith(".SlurmLauncher"):
        return
    with suppress(OSError):
        if subprocess.run(["sacct", "--noheader"], capture_output=True).returncode == 0:
            return
    from submitit.slurm.slurm import SlurmInfoWatcher

    SlurmInfoWatcher._make_command = lambda self: None
