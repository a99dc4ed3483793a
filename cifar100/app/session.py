"""A command's surroundings for one call from Python: its composed configuration, its log; put back as they were."""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict, read_write

from cifar100 import app
from cifar100.config import CONF, named_folders, register_resolvers, trusting
from cifar100.habits import check_habits
from cifar100.logs import MainProcess, RunLog, TerminalHandler
from cifar100.mistakes import check_choices


@contextmanager
def composed(
    overrides: Sequence[str] | str, conf: str | Path | None, change: Callable[[DictConfig], None] = lambda _: None
) -> Iterator[DictConfig]:
    """The composed configuration with hydra's part, as a command's job has it, after ``change``; what hydra held before
    is put back."""
    typed = [overrides] if isinstance(overrides, str) else list(overrides)
    folders = [] if conf is None else [Path(conf).resolve()]
    before = HydraConfig.instance().cfg
    register_resolvers()
    with trusting(folders), _without_command(), hydra.initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        check_habits(typed, "train")
        check_choices(typed, [CONF, *folders])
        place = [f"hydra.searchpath=['file://{folder}']" for folder in folders]
        config = hydra.compose("train", overrides=[*typed, *place], return_hydra_config=True)
        with read_write(config), open_dict(config):
            change(config)
            config.hydra.runtime.output_dir = str(Path(config.hydra.run.dir).absolute())
        HydraConfig.instance().set_config(config)
        try:
            with trusting(named_folders(HydraConfig.get())):
                yield config
        finally:
            HydraConfig.instance().cfg = before


@contextmanager
def _without_command() -> Iterator[None]:
    """Puts aside the command, if there is one, that hydra composes within: it composes for one at a time."""
    one = GlobalHydra.instance()
    command, one.hydra = one.hydra, None
    try:
        yield
    finally:
        one.hydra = command


def without_hydra(config: DictConfig) -> DictConfig:
    config = copy.deepcopy(config)
    with read_write(config), open_dict(config):
        del config["hydra"]
    return config


def train_composed(config: DictConfig, quiet: bool = False) -> Path:
    """Trains what `composed` gave, with the run's own log, and returns its folder; raises as `cifar100.app.train`."""
    folder = Path(config.hydra.runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with run_log(folder / "train.log", quiet):
        app.train(without_hydra(config))
    return folder


@contextmanager
def run_log(file: Path, quiet: bool) -> Iterator[None]:
    """Lines go to the run's train.log and, unless quiet, to the terminal or notebook."""
    log, to_file = logging.getLogger("cifar100"), RunLog(file, encoding="utf-8", delay=True)
    to_file.check()
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handlers = [to_file] if quiet else [to_file, TerminalHandler()]
    level, propagate = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in handlers:
        handler.addFilter(MainProcess())
        log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(level)
        log.propagate = propagate
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()
