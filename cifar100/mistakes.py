"""A user's mistakes: told from bugs of this program, and put in one line with near misses."""

import difflib
import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import hydra
import omegaconf
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, ListConfig
from omegaconf.errors import OmegaConfBaseException

FAILED, MISTYPED = 1, 2
OVERRIDE = re.compile(r"^[+~]{0,2}([\w/@.]+)=(.*)$")
BROUGHT = re.compile(r"In '(\w+)/(\w+)': Could not override '(\w+)@([\w.]+)\.\3'")  # hydra of block@late_block=preact
FULL = "make room; the same command continues"
FORBIDDEN = "choose a place where you may write, such as another root="
CURES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: FORBIDDEN,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.ENOTDIR: FORBIDDEN,
}
# What launchers and sweepers raise when jobs of theirs die or cannot be sent off, by the package that defines it.
LAUNCHERS = {"joblib", "submitit", "ray", "optuna", "sqlalchemy"}
# Extras of pyproject.toml, by the choices of hydra's groups that need them.
EXTRAS = {"joblib": "joblib", "submitit_slurm": "slurm", "submitit_local": "slurm", "ray": "ray", "optuna": "hpo"}
# Whose ValueErrors are about what the user typed. Those of other libraries are about what we gave them.
OURS = [Path(__file__).parent, *(Path(package.__file__).parent for package in (hydra, omegaconf))]


def mistake(error: BaseException) -> int:
    """The exit status for an error that its message explains to the user; 0 for a bug of this program."""
    if type(error).__name__ in ("Diverged", "ProcessDied") or _out_of_memory(error):
        return FAILED
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
        return FAILED
    if isinstance(error, InstantiationException):  # a value of a wrong type, or a target that hydra refuses
        kinds = TypeError | ValueError | OverflowError | None
        return MISTYPED if isinstance(error.__cause__, kinds) else 0
    if isinstance(error, HydraException | OmegaConfBaseException):
        return MISTYPED
    if _of_a_launcher(error):
        return FAILED
    return MISTYPED if isinstance(error, ValueError | OSError) and _raised_here(error) else 0


def explain(error: BaseException) -> str:
    """The error in one line, with near misses where a name is unknown."""
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}" + (f"; {CURES[error.errno]}" if error.errno in CURES else "")
    if _of_a_launcher(error):
        told = (str(error).strip("\n '") or type(error).__name__).splitlines()[0]
        if told in ("Record does not exist.", "No trials are completed yet."):  # Optuna's, looking for the best one
            told = "no trial has finished"
        return f"the sweep stopped: {told.rstrip('.')}; the same command continues"
    if _out_of_memory(error):
        told = _joined(str(error)) or "out of memory"
        return told if "; use " in told else f"{told}; use smaller batches or a smaller network"
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    text = str(cause).strip() or type(cause).__name__
    if place := BROUGHT.match(text):
        group, choice, brought, package = place.groups()
        text = f"{group}@{package}={choice} brings a {brought} of its own, for which {package} has no place; "
        return f"{text}choose another {group}@{package}"
    if isinstance(cause, OmegaConfBaseException):
        text = text.splitlines()[0]
        parent = getattr(cause, "parent_node", None)
        if "not in struct" in text or "Key" in text and isinstance(parent, DictConfig | ListConfig):
            name = str(getattr(cause, "full_key", None) or getattr(cause, "key", ""))
            options = [key for key in parent or () if not str(key).startswith("_")]
            text = f"there is no option {name}{near(name.rpartition('.')[2], options)}"
    if missing := re.search(r"Could not (?:load|find) 'hydra/(launcher|sweeper)/(\w+)'", text):
        group, choice = missing.groups()
        if choice in EXTRAS:
            return f"hydra/{group}={choice} is not installed; pip install 'cifar100-lab[{EXTRAS[choice]}]'"
    return _joined(text)


def check_choices(arguments: Iterable[str], folders: Sequence[Path]) -> None:
    """Refuses ``group=choice`` where no configuration folder has that choice, before any job of a sweep starts.

    Raises:
        ValueError: naming the choices, the nearest first.
    """
    for argument in arguments:
        match = OVERRIDE.match(argument)
        group = match[1].split("@")[0] if match else ""
        if not group or "." in group or group.startswith("hydra/"):  # whose choices plugins add to
            continue
        if not any((folder / group).is_dir() for folder in folders):
            continue
        choices = {file.stem for folder in folders for file in (folder / group).glob("*.yaml")}
        for value in match[2].split(","):
            if re.fullmatch(r"\w*", value) and value not in choices:
                raise ValueError(f"{group}={value} is unknown{near(value, choices)}")


def near(name: str, names: Iterable[Any]) -> str:
    """What to add to a message about an unknown name: the nearest names, else all."""
    names = sorted(map(str, names))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        close.sort(key=lambda each: -len(os.path.commonprefix([name, each])))
        return f"; did you mean {' or '.join(close)}?"
    return f"; choose one of {', '.join(names)}" if names else ""


def _joined(text: str) -> str:
    """The lines of ``text`` as one."""
    joined = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if joined:
            joined = joined + " " if joined.endswith(":") else joined.rstrip(";.") + "; "
        joined += line
    return joined


def _out_of_memory(error: BaseException) -> bool:
    """Of a GPU, or of this machine, which torch tells in a plain RuntimeError."""
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _of_a_launcher(error: BaseException) -> bool:
    """Whether a launcher or sweeper raised the error of its own, or by it tells what became of its jobs."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    names = {type(error).__module__.split(".")[0], raised_in.split(".")[0]}
    return isinstance(error, Exception) and bool(names & LAUNCHERS)


def _raised_here(error: BaseException) -> bool:
    """Whether our own code or the composition of what was typed raised the error, with a message for the user."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and any(Path(trace.tb_frame.f_code.co_filename).is_relative_to(each) for each in OURS)
