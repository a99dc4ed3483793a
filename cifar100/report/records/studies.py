"""Several studies for one report: the main comparison and its ablations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cifar100.record import RunDirectory, find_runs
from cifar100.report.records.study import Study, study_of


def read_studies(
    paths: str | Path | Iterable[str | Path], *, baseline: str | None = None, allow_mixed: bool = False
) -> tuple[Study, ...]:
    """One study for each folder that holds runs, in the order given and below one path by name: the first is the main
    comparison, for which `baseline` is meant, the others are ablations with baselines of their own.

    Raises ValueError, in one line, for a study that `read_study` refuses and for a path that names no run.
    """
    places = [paths] if isinstance(paths, str | Path) else list(paths)
    runs: dict[Path, RunDirectory] = {}
    for place in places:
        for run in find_runs(place):
            runs.setdefault(run.path.resolve(), run)  # two places may hold it
    folders: dict[Path, list[RunDirectory]] = {}
    for run in runs.values():
        folders.setdefault(run.path.parent, []).append(run)
    baselines = [baseline, *[None] * len(folders)]
    return tuple(
        study_of(runs, folder, baseline=each, allow_mixed=allow_mixed)
        for (folder, runs), each in zip(folders.items(), baselines, strict=False)
    )
