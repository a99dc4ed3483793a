"""Configuration folders of the user's own, outside this project: trusted where the command that reads names them."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from cifar100.base.conf import CONF
from cifar100.base.errors import UserError
from cifar100.base.trees import lookup

_named: ContextVar[tuple[Path, ...]] = ContextVar("named", default=())


def own_folders() -> tuple[Path, ...]:
    """The folders that the present command names besides this project's."""
    return _named.get()


@contextmanager
def trusting(folders: Iterable[str | Path]) -> Iterator[None]:
    """Lets records name, within the block, what stands in these configuration folders, too.

    Python finds modules that stand beside such a folder: ``mine/scale.py`` is ``scale`` to ``mine/conf``.

    Raises:
        ValueError: no such folder.
    """
    found = tuple(Path(folder).resolve() for folder in folders)
    for folder in found:
        if not folder.is_dir():
            raise UserError(f"conf={folder} is no folder; name one that is laid out as this project's conf/")
        if str(folder.parent) not in sys.path:
            sys.path.append(str(folder.parent))  # last, so that nothing in it takes another's place
    token = _named.set((*_named.get(), *found))
    try:
        yield
    finally:
        _named.reset(token)


def named_folders(hydra: Any) -> list[Path]:
    """The folders that ``--config-dir`` and ``hydra.searchpath`` gave a job.

    Args:
        hydra: the job's ``HydraConfig.get()``.
    """
    found = []
    for source in hydra.runtime.config_sources:
        if source.schema == "file":
            place = Path(source.path)
        elif source.schema == "pkg" and source.provider not in ("hydra", "main"):
            place = Path(str(files(source.path.replace("/", "."))))
        else:
            continue
        if place.is_dir() and place.resolve() != CONF.resolve():
            found.append(place)
    return found


def typed_folders(arguments: Sequence[str]) -> list[Path]:
    """The folders of ``--config-dir``, ``-cd`` and ``hydra.searchpath`` among a command's arguments, before hydra reads
    them."""
    found = []
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in ("--config-dir", "-cd"):
            found.append(Path(value or "".join(arguments[index + 1 : index + 2])))
        elif name.lstrip("+") == "hydra.searchpath":
            places = [each.strip(" '\"") for each in value.strip("[]").split(",")]
            found += [Path(each.removeprefix("file://")) for each in places if not each.startswith("pkg://")]
    return found


def is_sweep(arguments: Iterable[str], folders: Sequence[Path]) -> bool:
    """Whether an experiment among a command's arguments says ``hydra.mode: MULTIRUN``, which hydra 1.4 and later
    want to hear on the command line.

    Args:
        arguments: as typed.
        folders: configuration folders, of which the first that has the experiment counts.
    """
    named = [each.partition("=")[2] for each in arguments if re.match(r"\+?experiment=", each)]
    files = [file for name in named for folder in folders if (file := folder / "experiment" / f"{name}.yaml").is_file()]
    try:
        options = yaml.safe_load(files[0].read_text(encoding="utf-8")) if files else None
    except (OSError, ValueError, yaml.YAMLError):
        return False  # which hydra tells of
    return lookup(options, "hydra.mode") == "MULTIRUN"
