"""Studies: runs grouped into rows, one for each network and recipe, and the row that the others are compared with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.text import in_order, plain_line
from cifar100.base.trees import fixed_text
from cifar100.record import RunDirectory, find_runs
from cifar100.report.records.labels import Group, default_baseline, named_baseline, row_file, row_labels
from cifar100.report.records.run import Run, read_run
from cifar100.report.records.setting import differing, identical, refusal, setting, undeclared


@dataclass(frozen=True)
class Row:
    """`runs` are ordered by seed. `identical_to` is the label of an earlier row that trains the same network by the
    same recipe, so that the two differ by chance alone; None where there is none."""

    label: str
    runs: tuple[Run, ...]
    identical_to: str | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(run.seed for run in self.runs)

    @property
    def own_recipe(self) -> frozenset[str]:
        """The parts of the recipe that a run of the row declares to belong to its design."""
        return frozenset(key for run in self.runs for key in run.own_recipe)

    @property
    def n(self) -> int:
        return len(self.runs)

    @property
    def parameters(self) -> int:
        return self.runs[0].parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return self.runs[0].macs

    @property
    def latency_s(self) -> float | None:
        """Mean over the runs that were timed; None where none was."""
        timed = [run.latency_s for run in self.runs if run.latency_s is not None]
        return fmean(timed) if timed else None

    @property
    def train_s(self) -> float:
        """Mean seconds spent in training steps."""
        return fmean(self.values("train_s"))

    def values(self, metric: str) -> list[float]:
        """A number of each run, by seed, as of `Run.number`."""
        return [run.number(metric) for run in self.runs]


@dataclass(frozen=True)
class LeftOut:
    """A run that was found and not used, and why, in one line each."""

    name: str
    reason: str


@dataclass(frozen=True)
class Study:
    """`rows` begin with the baseline; the others follow by the name of their row file, then by label.

    `shared_recipe` holds the settings that all rows were trained and evaluated with, by dotted key; `declared` the
    values of the keys that differ because a recipe belongs to its design (`own_recipe` in a row's file), and `mixed`
    those of the keys that differ otherwise, which is empty unless that was allowed.
    """

    name: str
    path: Path
    rows: tuple[Row, ...]
    baseline: Row
    shared_recipe: dict[str, Any]
    declared: dict[str, list[Any]]
    mixed: dict[str, list[Any]]
    left_out: tuple[LeftOut, ...]

    @property
    def one_recipe(self) -> bool:
        """Whether all rows were trained and evaluated alike."""
        return not (self.declared or self.mixed)

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for row in self.rows for run in row.runs)


def read_studies(
    paths: str | Path | Iterable[str | Path], *, baseline: str | None = None, allow_mixed: bool = False
) -> tuple[Study, ...]:
    """One study for each folder that holds runs, in the order given and below one path by name: the first is the main
    comparison, for which `baseline` is meant, the others are ablations with baselines of their own.

    Raises UserError for a study that `study_of` refuses and for a path that names no run.
    """
    runs: dict[Path, RunDirectory] = {}
    for place in [paths] if isinstance(paths, str | Path) else paths:
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


def read_study(path: str | Path, *, baseline: str | None = None, allow_mixed: bool = False) -> Study:
    """The study in the folder `path`, with runs at any depth. Arguments and errors as of `study_of`."""
    return study_of(find_runs(path), Path(path), baseline=baseline, allow_mixed=allow_mixed)


def study_of(
    records: Iterable[RunDirectory], path: Path, *, baseline: str | None = None, allow_mixed: bool = False
) -> Study:
    """The study of these run directories, read as data of unknown origin.

    Args:
        records: they lie below `path`, by which the study is named.
        baseline: the label of a row, or the id of one of its runs; None takes the first row file's row, or without row
            files the row whose choices are nearest to the program's defaults.
        allow_mixed: compare rows whose recipes differ although no row declares it, and name the difference in their
            labels.

    Raises:
        UserError: no usable run, recipes that differ, an unknown baseline.
    """
    runs, left_out = _usable(records, path)
    groups, twice = _grouped(runs)
    settings = [setting(group[0]) for group in groups]
    first = default_baseline(groups)
    differ = differing([settings[first], *settings])
    mixed = undeclared(differ, settings, [{key for run in group for key in run.own_recipe} for group in groups])
    if mixed and not allow_mixed:
        raise UserError(refusal(path, mixed, runs))
    declared = {key: values for key, values in differ.items() if key not in mixed}
    labels = row_labels(groups, first, mixed, declared)
    if baseline is not None:
        first = named_baseline(groups, labels, baseline)
    rows = _rows(groups, labels, first)
    shared = {key: value for key, value in settings[0].items() if key not in differ}
    name = plain_line(path.resolve().name, 100)
    return Study(name, path, rows, rows[0], shared, declared, mixed, (*left_out, *twice))


def _usable(records: Iterable[RunDirectory], path: Path) -> tuple[list[Run], list[LeftOut]]:
    runs, left_out = [], []
    for record in records:
        try:
            runs.append(read_run(record))
        except (ValueError, OSError) as error:
            left_out.append(LeftOut(plain_line(record.name, 200), plain_line(error, 500)))
    if not runs:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in left_out[:3])
        more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        raise UserError(f"study={path} has no finished and evaluated run: {reasons}{more}")
    return runs, left_out


def _grouped(runs: Iterable[Run]) -> tuple[list[Group], list[LeftOut]]:
    """Runs that differ only in their seed, by seed; of two with one seed, as folders may hold, the first by path."""
    found: dict[str, dict[int, Run]] = {}
    twice = []
    for run in runs:
        group = found.setdefault(fixed_text([run.network, setting(run)]), {})
        first = group.setdefault(run.seed, run)
        if first is not run:
            twice.append(LeftOut(run.name, plain_line(f"seed {run.seed} of this row is taken from {first.path}", 500)))
    return [tuple(group[seed] for seed in sorted(group)) for group in found.values()], twice


def _rows(groups: Sequence[Group], labels: Sequence[str], first: int) -> tuple[Row, ...]:
    def place(index: int) -> tuple[Any, ...]:
        file = row_file(groups[index])
        return index != first, file is None, in_order(file or ""), in_order(labels[index])

    rows: list[Row] = []
    for index in sorted(range(len(groups)), key=place):
        twin = next((row for row in rows if identical(row.runs[0], groups[index][0])), None)
        rows.append(Row(labels[index], groups[index], twin and (twin.identical_to or twin.label)))
    return tuple(rows)
