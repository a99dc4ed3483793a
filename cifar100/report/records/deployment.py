"""Records of deployment, evaluation/deploy/*.json of runs, read as data of unknown origin."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cifar100.base.trees import lookup
from cifar100.base.values import is_number
from cifar100.record import RunDirectory
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row


def deployed(rows: Iterable[Row], name: str) -> list[tuple[Row, Run, dict[str, Any]]]:
    """The runs that have an evaluation/deploy/<name>.json, with their rows and that file. Raises RecordError where it
    is damaged."""
    runs = [(row, run) for row in rows for run in row.runs]
    found = [(row, run, RunDirectory(run.path).read_json(f"deploy/{name}.json")) for row, run in runs]
    return [(row, run, results) for row, run, results in found if results is not None]


def number(results: Mapping[str, Any], place: str) -> float:
    """The number at `a.b.0`; nan where there is none."""
    value = lookup(results, place)
    return float(value) if is_number(value) else math.nan


def speedup(results: Mapping[str, Any], batch_size: int) -> float:
    """How many times as fast the second network was at a batch size; nan where it was not timed."""
    timed = results.get("latency")
    pairs = [each for each in timed if isinstance(each, Mapping)] if isinstance(timed, list) else []
    return next((number(each, "speedup") for each in pairs if each.get("batch_size") == batch_size), math.nan)


def is_pruned(row: Row) -> bool:
    return bool(row.runs[0].config.get("pruning"))


def is_taught(row: Row) -> bool:
    """Whether a trained network taught the row's: distillation."""
    return bool(lookup(row.runs[0].config, "loss.teacher"))


def is_transferred(row: Row) -> bool:
    """Whether the row's network began with another run's weights."""
    return bool(row.runs[0].config.get("init_from"))


def sparsity(row: Row) -> float:
    """The mean share of zeros among the weights that are pruned singly; 0 where none are."""
    found = [each for run in row.runs if math.isfinite(each := number(run.summary, "last.sparsity"))]
    return sum(found) / len(found) if found else 0.0
