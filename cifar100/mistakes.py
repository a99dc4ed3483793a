"""Errors of other libraries and of the operating system, as one of this program: a line and an exit status."""

import errno
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import DictConfig, ListConfig
from omegaconf.errors import OmegaConfBaseException

from cifar100.base.conf import CONF
from cifar100.base.errors import ELSEWHERE, OutOfMemoryError, RunFailed, UserError
from cifar100.base.text import joined, near

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
# Extras of pyproject.toml, by the choices of hydra's groups that need them.
EXTRAS = {"joblib": "joblib", "submitit_slurm": "slurm", "submitit_local": "slurm", "ray": "ray"}


def user_error(error: BaseException) -> UserError | None:
    """The error as one whose message explains it to the user in one line; None for a bug of this program."""
    if isinstance(error, UserError):
        return error
    if _is_out_of_memory(error):
        text = joined(str(error)) or "out of memory"
        return OutOfMemoryError(text if "; use " in text else f"{text}; use smaller batches or a smaller network")
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
        where = f"{error.filename}: " if error.filename else ""
        return RunFailed(f"{where}{error.strerror}" + (f"; {CURES[error.errno]}" if error.errno in CURES else ""))
    if isinstance(error, InstantiationException):  # a value of a wrong type, or a target that hydra refuses
        kinds = TypeError | ValueError | OverflowError | None
        return UserError(_of_hydra(error)) if isinstance(error.__cause__, kinds) else None
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        where = f"{error.problem_mark.name}, line {error.problem_mark.line + 1}"
        return UserError(f"{where}: no YAML ({error.problem})")
    if isinstance(error, OverrideParseException):
        return UserError(_unreadable(error))
    if isinstance(error, HydraException | OmegaConfBaseException):
        return UserError(_of_hydra(error))
    return None


def mistake(error: BaseException) -> int:
    """The exit status for an error that its message explains to the user; 0 for a bug of this program."""
    known = user_error(error)
    return known.exit_status if known else 0


def explain(error: BaseException) -> str:
    """The error in one line, with near misses where a name is unknown."""
    return joined(str(user_error(error) or error)) or type(error).__name__


def check_choices(arguments: Iterable[str], folders: Sequence[Path]) -> None:
    """Refuses ``group=choice`` where no configuration folder has that choice, before any job of a sweep starts.

    Raises:
        UserError: naming the choices, the nearest first.
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
                raise UserError(f"{group}={value} is unknown{near(value, choices)}")


def _unreadable(error: OverrideParseException) -> str:
    """The message for an argument that hydra's grammar cannot read, with what to type in its place."""
    typed = error.override
    if "\r" in typed:
        return f"{typed.strip()} ends in a Windows line end; save the script with Unix ones: sed -i 's/\\r$//' <script>"
    name, equals, value = typed.partition("=")
    if not equals:
        return f"{typed} has no =; options are typed as name=value, such as {name.strip()}=..."
    text = value.strip("\"'")
    mark = "'" if '"' in text else '"'
    quoted = f"{name}={mark}{text.replace(mark, '')}{mark}"
    try:
        OverridesParser.create().parse_override(quoted if value[:1] not in ("[", "{") else typed)
    except HydraException:
        return joined(str(error))
    return f"{typed} cannot be read; quote the value, and all of it for the shell: {shlex.quote(quoted)}"


def _of_hydra(error: Exception) -> str:
    """Hydra's message, or OmegaConf's behind it, with the options that exist where one does not."""
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
        known = {"basic", *(EXTRAS if group == "launcher" else ())}
        known |= {file.stem for file in (CONF / "hydra" / group).glob("*.yaml")}
        return f"hydra/{group}={choice} is unknown{near(choice, known)}"
    return joined(text)


def _is_out_of_memory(error: BaseException) -> bool:
    """Of a GPU, or of this machine, which torch tells in a plain RuntimeError."""
    torch = sys.modules.get("torch")  # not imported by who never computed anything
    named = isinstance(error, MemoryError) or torch is not None and isinstance(error, torch.OutOfMemoryError)
    return named or isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def closing_words(failures: Sequence[tuple[str, int, str]]) -> str:
    """The last lines of a command whose jobs failed, given as overrides, exit status and reason: the mistake itself, or
    which jobs of a sweep."""
    if not failures[0][0]:
        return failures[0][2]
    elsewhere = [each for each in failures if each[1] == ELSEWHERE]
    failed = [each for each in failures if each[1] != ELSEWHERE]
    listings = (
        _listed(failed, "failed; typed again, only what is not finished is tried again"),
        _listed(elsewhere, "still running in other processes"),
    )
    return "\n".join(filter(None, listings))


def _listed(jobs: Sequence[tuple[str, int, str]], state: str) -> str:
    count = "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"
    lines = [f"{count} of the sweep {state}:", *(f"  {name}: {reason}" for name, _, reason in jobs)]
    return "\n".join(lines) if jobs else ""
