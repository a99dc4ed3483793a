"""How the commands meet the user: one line for each mistake, near misses named, an exit status that scripts can read.

Exit status: 0 done, 1 a run failed, 2 the command cannot be carried out as typed, 130 or 143 interrupted by SIGINT or
SIGTERM. A traceback is a bug of this program.
"""

import difflib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig
from omegaconf.errors import OmegaConfBaseException

from cifar100.config import CONF, register_resolvers

FAILED, MISTYPED = 1, 2
OVERRIDE = re.compile(r"^[+~]{0,2}([\w/@.]+)=(.*)$")
failures: list[tuple[str, int, str]] = []


def run(main: Callable[[], Any], arguments: Sequence[str] | None = None) -> None:
    """Runs a ``hydra.main`` function and ends the process with an exit status of the module's list."""
    arguments = sys.argv[1:] if arguments is None else arguments
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra would print and exit by itself
    register_resolvers()
    try:
        check_choices(arguments, [CONF, *_config_dirs(arguments)])
        main()
        if failures:
            _end(_failed_jobs(), FAILED if len(failures) > 1 else failures[0][1])
    except KeyboardInterrupt as error:
        signum = getattr(error, "signum", 2)
        _end(str(error) or "interrupted; the same command continues", 128 + signum)
    except (HydraException, OmegaConfBaseException) as error:
        _end(explain(error), MISTYPED)
    except Exception as error:
        if not (status := mistake(error)):
            raise
        _end(explain(error), status)


def job(task: Callable[[DictConfig], Any], config: DictConfig) -> Any:
    """Carries out one job of a command. A failure that its message explains is noted, so that hydra goes on with the
    sweep's other jobs, and ends the command with a non-zero status; a bug of this program goes through.

    Returns:
        What the task returns; None where it failed.
    """
    try:
        return task(config)
    except Exception as error:
        if not (status := mistake(error)):
            raise
        hydra = HydraConfig.get()
        swept = hydra.mode == RunMode.MULTIRUN
        failures.append((" ".join(hydra.overrides.task) if swept else "", status, explain(error)))
        if swept:
            logging.getLogger(__name__).error("failed: %s: %s", failures[-1][0], failures[-1][2])
        return None


def mistake(error: BaseException) -> int:
    """The exit status for an error that its message explains to the user; 0 for a bug of this program."""
    if type(error).__name__ in ("Diverged", "OutOfMemoryError"):
        return FAILED
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
        return FAILED
    return MISTYPED if isinstance(error, ValueError | OSError) and _raised_here(error) else 0


def explain(error: BaseException) -> str:
    """The error in one line, with near misses where a name is unknown."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    text = str(cause).strip() or type(cause).__name__
    if isinstance(cause, OmegaConfBaseException):
        text = text.splitlines()[0]
        parent = getattr(cause, "parent_node", None)
        if "not in struct" in text or "Key" in text and isinstance(parent, DictConfig | ListConfig):
            name = str(getattr(cause, "full_key", None) or getattr(cause, "key", ""))
            text = f"there is no option {name}" + near(name.rpartition(".")[2], parent or ())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(line.rstrip(";.") if index + 1 < len(lines) else line for index, line in enumerate(lines))


def check_choices(arguments: Iterable[str], folders: Sequence[Path]) -> None:
    """Refuses ``group=choice`` where no configuration folder has that choice, before any job of a sweep starts.

    Raises:
        ValueError: naming the choices, the nearest first.
    """
    for argument in arguments:
        match = OVERRIDE.match(argument)
        group = match[1].split("@")[0] if match else ""
        if not group or "." in group or not any((folder / group).is_dir() for folder in folders):
            continue
        choices = {file.stem for folder in folders for file in (folder / group).glob("*.yaml")}
        for value in match[2].split(","):
            if re.fullmatch(r"\w+", value) and value not in choices | {"null"}:
                raise ValueError(f"{group}={value} is unknown{near(value, choices)}")


def near(name: str, names: Iterable[Any]) -> str:
    """What to add to a message about an unknown name: the nearest names, else all."""
    names = sorted(map(str, names))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; choose one of {', '.join(names)}" if names else ""


class TerminalHandler(logging.Handler):
    """Prints log lines without tearing a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stdout)
        sys.stdout.flush()


class MainProcess(logging.Filter):
    """Lets through the log of the first of several processes, and every process's warnings."""

    def filter(self, record: logging.LogRecord) -> bool:
        return os.environ.get("RANK", "0") == "0" or record.levelno >= logging.WARNING


def _raised_here(error: BaseException) -> bool:
    """Whether our own code raised the error, with a message for the user, and not a library that it called."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and Path(trace.tb_frame.f_code.co_filename).is_relative_to(Path(__file__).parent)


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
        f"{len(failures)} of the sweep's jobs failed, the others are done; the same command tries them again:\n{names}"
    )


def _end(message: str, status: int) -> None:
    print(message, file=sys.stderr, flush=True)
    logging.shutdown()
    sys.exit(status)
