"""How the commands meet the user: one line for each mistake, an exit status that scripts can read.

Exit status: 0 done, 1 a run failed, 2 the command cannot be carried out as typed, 130 or 143 interrupted by SIGINT or
SIGTERM. A traceback is a bug of this program.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cifar100.config import CONF, register_resolvers
from cifar100.help import groups
from cifar100.mistakes import FAILED, check_choices, explain, mistake

log = logging.getLogger(__name__)
failures: list[tuple[str, int, str]] = []


def run(main: Callable[[], Any], arguments: Sequence[str] | None = None) -> None:
    """Runs a ``hydra.main`` function and ends the process with an exit status of the module's list."""
    arguments = sys.argv[1:] if arguments is None else arguments
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra would print and exit by itself
    register_resolvers()
    OmegaConf.register_new_resolver("groups", groups, replace=True)  # for hydra.help.template
    failures.clear()
    try:
        with _terminable():
            check_choices(arguments, [CONF, *_config_dirs(arguments)])
            main()
    except KeyboardInterrupt as error:
        signum = getattr(error, "signum", signal.SIGINT)
        _end(str(error) or f"interrupted by {signum.name}; the same command continues", 128 + signum)
    except Exception as error:
        if not (status := mistake(error)):
            raise
        _end(explain(error), status)
    finally:
        _leave_the_other_processes()
    if failures:
        _end(_failed_jobs(), FAILED if len(failures) > 1 else failures[0][1])


def job(task: Callable[[DictConfig], Any], config: DictConfig) -> Any:
    """Carries out one job of a command. A failure that its message explains is noted, so that hydra goes on with the
    sweep's other jobs, and ends the command with a non-zero status. So is a bug of this program in a sweep, after its
    traceback; else it goes through.

    Returns:
        What the task returns; None where it failed.
    """
    try:
        return task(config)
    except Exception as error:
        hydra = HydraConfig.get()
        status, swept = mistake(error), hydra.mode == RunMode.MULTIRUN
        alone = not status or type(error).__name__ == "OutOfMemoryError"
        if not (status or swept):
            raise
        name = " ".join(hydra.overrides.task) if swept else ""
        reason = explain(error) if status else f"{type(error).__name__}: {explain(error)}"
        failures.append((name, status or FAILED, reason))
        if swept:
            log.error("failed: %s: %s", name, reason, exc_info=None if status else error)
        if alone and int(os.environ.get("WORLD_SIZE", "1")) > 1:
            log.error("%s", reason)
            raise SystemExit(FAILED) from error  # the other processes are not where the next job would meet them
        return None


class TerminalHandler(logging.Handler):
    """Prints log lines without tearing a progress bar, as long as someone reads them."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        with suppress(BrokenPipeError):
            tqdm.write(self.format(record), file=sys.stdout)
            sys.stdout.flush()


class RunLog(logging.FileHandler):
    """A run's train.log. A full disk loses lines of it, not the run: the checkpoints say whether that can go on."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


class MainProcess(logging.Filter):
    """Lets through the log of the first of several processes, and every process's warnings."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _is_main() or record.levelno >= logging.WARNING


def _is_main() -> bool:
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the block as Control-C does, so that what must be noted at the end of a run is."""

    def terminate(signum: int, frame: FrameType | None) -> None:
        error = KeyboardInterrupt()
        error.signum = signal.Signals(signum)
        raise error

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave_the_other_processes() -> None:
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _config_dirs(arguments: Sequence[str]) -> list[Path]:
    """The folders of ``--config-dir`` or ``-cd``."""
    found = []
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in ("--config-dir", "-cd"):
            found.append(Path(value or "".join(arguments[index + 1 : index + 2])))
    return found


def _failed_jobs() -> str:
    """The closing words of a command whose jobs failed: the mistake itself, or which jobs of a sweep."""
    if not failures[0][0]:
        return failures[0][2]
    names = "\n".join(f"  {name}: {reason}" for name, _, reason in failures)
    return (
        f"{len(failures)} of the sweep's jobs failed, the others are done; typed again, they are tried again:\n{names}"
    )


def _end(message: str, status: int) -> None:
    """Ends the process. Of several, which all end so, the first tells why."""
    if _is_main():
        print(message, file=sys.stderr, flush=True)
    logging.shutdown()
    sys.exit(status)
