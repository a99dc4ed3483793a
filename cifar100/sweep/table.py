"""A sweep's last lines: a table of all its runs, in plain text."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cifar100.base.text import aligned
from cifar100.record import RecordError, RunDirectory
from cifar100.sweep.job import STATES, Job

NARROWEST = 16  # columns that a cell is cut to at most


def closing_table(jobs: Sequence[Job], width: int | None = None) -> str:
    """The jobs' results; what their networks cost where nothing was to be trained.

    Args:
        jobs: in the order of the table.
        width: of the terminal, in columns, to which names are cut; None cuts nothing.
    """
    if any(job.state == "counted" for job in jobs):
        header, rows = ("parameters", "multiply-adds"), [_costs(job) for job in jobs]
    else:
        header, rows = ("state", "best top-1", "last top-1", "train s", "run"), [_results(job) for job in jobs]
    keys = _varying(jobs)
    title, labels = (keys[0] if len(keys) == 1 else "job"), names(jobs)
    if len(keys) == 1:
        labels = [label.removeprefix(f"{title}=") for label in labels]
    table = [(title, *header), *((label, *row) for label, row in zip(labels, rows, strict=True))]
    text = [index for index, name in enumerate(table[0]) if name in (title, "state", "run")]
    return "\n".join(["", *aligned(_cut(table, width), left=text), _totals(jobs)])


def names(jobs: Sequence[Job]) -> list[str]:
    """A name for each job that no other has: its label, where they have different ones, and the overrides that vary.

    A job that has not begun has no label yet and keeps the overrides that give it one.
    """
    keys = _varying(jobs)
    labelled = len({job.label for job in jobs if job.label}) > 1 or (len(jobs) == 1 and jobs[0].label)
    found = []
    for job in jobs:
        values = _values(job)
        named = bool(labelled and job.label)
        words = [job.label] if named else []
        words += [f"{key}={values[key]}" for key in keys if key in values and not (named and key in ("row", "label"))]
        found.append(" ".join(words) or f"#{job.num}")
    return found


def _values(job: Job) -> dict[str, str]:
    return {key: _short(value) for key, _, value in (override.partition("=") for override in job.overrides)}


def _short(value: str) -> str:
    """A number that a search has drawn, in as many digits as tell it from others."""
    return f"{float(value):.6g}" if re.fullmatch(r"-?\d*\.\d{7,}(e-?\d+)?", value) else value


def _varying(jobs: Sequence[Job]) -> list[str]:
    """The overrides that not all jobs share, in the order typed."""
    values = [_values(job) for job in jobs]
    keys = dict.fromkeys(key for each in values for key in each)
    return [key for key in keys if len({each.get(key) for each in values}) > 1]


def _results(job: Job) -> tuple[str, ...]:
    """State, accuracies on the held-out images, seconds of training in all, and run id, from the run directory."""
    if not job.path:
        return job.state, "-" if job.objective is None else f"{job.objective:.2%}", "-", "-", "-"
    rows, run = [], RunDirectory(job.path)
    try:
        rows = run.metrics()
        top1 = [row["val/top1"] for row in rows if row.get("val/top1") is not None]
        seconds = sum(row["epoch_s"] for row in rows)
    except (RecordError, OSError, KeyError, TypeError):  # a damaged record, of which its job has warned
        rows, top1, seconds = [], [], 0.0
    best, last = (f"{max(top1):.2%}", f"{top1[-1]:.2%}") if top1 else ("-", "-")
    return _state(job), best, last, f"{seconds:.1f}" if rows else "-", Path(job.path).name


def _costs(job: Job) -> tuple[str, ...]:
    return (f"{job.parameters:,}", f"{job.macs:,}") if job.state == "counted" else (_state(job), "-")


def _state(job: Job) -> str:
    """The state in which a job ended; by its record, where it never reported one."""
    if job.state != "begun":
        return job.state
    try:
        return RunDirectory(job.path).state() or "interrupted"
    except (RecordError, OSError):
        return "interrupted"


def _totals(jobs: Sequence[Job]) -> str:
    counts = Counter(map(_state, jobs))
    parts = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{len(jobs)} job{'' if len(jobs) == 1 else 's'}: {parts}"


def _cut(table: Sequence[tuple[str, ...]], width: int | None) -> list[list[str]]:
    """The rows within `width` columns of a terminal. Where they are too wide, the first and the last column lose, in
    this order, what exceeds NARROWEST; a run id keeps its end, which no other run has."""
    columns = [list(column) for column in zip(*table, strict=True)]
    for index in dict.fromkeys((0, len(columns) - 1)):
        widths = [max(map(len, column)) for column in columns]
        excess = sum(widths) + 2 * (len(widths) - 1) - (width or 10**6)
        if excess > 0 and (index == 0 or table[0][index] == "run"):
            room = min(widths[index], max(NARROWEST, widths[index] - excess))
            for place, cell in enumerate(columns[index]):
                if len(cell) > room:
                    columns[index][place] = f"{cell[: room - 1]}…" if index == 0 else f"…{cell[1 - room :]}"
    return [list(row) for row in zip(*columns, strict=True)]
