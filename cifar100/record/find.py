"""Which run directories a path, a study or a glob means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cifar100.base.errors import RecordError
from cifar100.base.text import nearest
from cifar100.record.run_directory import RunDirectory


def find_runs(pattern: str | Path | Iterable[str | Path]) -> list[RunDirectory]:
    """The runs named by a run directory, a folder of runs at any depth, a glob, or several of these; sorted by path.

    A run directory is a folder with config.yaml or status.json. Raises RecordError where a pattern names none, with
    names that come near.
    """
    patterns = [pattern] if isinstance(pattern, str | Path) else list(pattern)
    found: dict[Path, Path] = {}
    for each in patterns:
        runs = {run for place in _places(str(each)) for run in _runs_below(place)}
        if not runs:
            raise RecordError(str(each), f"names no run directory{_near(Path(each))}")
        found |= {run.resolve(): run for run in runs}
    return [RunDirectory(path) for path in sorted(found.values())]


def _places(pattern: str) -> list[Path]:
    if os.path.lexists(pattern):  # a run id may hold characters that are special in a glob
        return [Path(pattern)]
    return [Path(match) for match in glob.glob(pattern, recursive=True)]


def _runs_below(place: Path) -> Iterator[Path]:
    for folder, below, _ in os.walk(place):
        if RunDirectory(folder).exists():
            below.clear()
            yield Path(folder)
        below[:] = [name for name in below if not name.startswith(".")]


def _near(path: Path) -> str:
    parent = path
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    try:
        names = sorted(entry.name for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        names = []
    missing = path.parts[len(parent.parts)] if len(path.parts) > len(parent.parts) else ""
    close = nearest(missing, names) or names[:3]
    return f"; {parent} has {', '.join(close)}" if close else "; train one first with train.py"
