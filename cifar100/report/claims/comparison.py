"""The rows of a study against its baseline and against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cifar100.report.claims.simultaneous import against_first, all_pairs
from cifar100.report.claims.statistics import Comparison, Difference
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study

VERDICTS = ("better", "worse", "undecided", "no_interval", "identical", "one_seed")


def compared(study: Study) -> list[Row]:
    """The rows that are judged: the baseline first, then those of at least two runs. A row whose network and recipe are
    an earlier row's is not among them: equal seeds give it that row's results, which would count twice."""
    return [row for row in study.rows if row is study.baseline or (row.n > 1 and row.identical_to is None)]


def comparisons(study: Study) -> int:
    """How many rows are judged against the baseline; 0 where that has one run."""
    return len(compared(study)) - 1 if study.baseline.n > 1 else 0


def against_baseline(study: Study, metric: str = "top1") -> Comparison | None:
    """The judged rows against the baseline, by their places in `compared`, whose first is the baseline; None where
    there is nothing to judge. `metric` is a fraction that every run has, top1 or top5."""
    return against_first(_samples(compared(study), metric)) if comparisons(study) else None


def against_each_other(study: Study, metric: str = "top1") -> Comparison | None:
    """All pairs of the judged rows, by their places in `compared`; None where there are no two."""
    rows = [row for row in compared(study) if row.n > 1]
    return all_pairs(_samples(rows, metric)) if len(rows) > 1 and rows[0] is study.baseline else None


def compare(study: Study, metric: str = "top1") -> dict[str, Difference | None]:
    """By the label of every row but the baseline: its difference to the baseline, None where it is not judged.

    The intervals of one metric hold at once; `Difference.has_interval` says whether there is one.
    """
    found = against_baseline(study, metric)
    places = {row.label: place for place, row in enumerate(compared(study))}
    return {
        row.label: found.differences[places[row.label], 0] if found and row.label in places else None
        for row in study.rows[1:]
    }


def verdict(study: Study, row: Row, difference: Difference | None) -> str:
    """What `difference`, of `compare`, says of the row, for a metric of which more is better; one of VERDICTS.

    better, worse: the interval excludes zero.
    undecided: it does not.
    no_interval: the runs are too few for one, or do not scatter.
    identical: the row trains an earlier row's network by its recipe, the baseline's or another one's; a difference
        between the two is chance.
    one_seed: the row or the baseline has one run.
    """
    if row.identical_to is not None:
        return "identical"
    if difference is None:
        return "one_seed"
    if not difference.has_interval:
        return "no_interval"
    if not difference.distinguishable:
        return "undecided"
    return "better" if difference.mean > 0 else "worse"


def common_seeds(study: Study, row: Row) -> list[int]:
    return sorted(set(row.seeds) & set(study.baseline.seeds))


def mean_difference(study: Study, row: Row, metric: str = "top1") -> float:
    """The row's mean less the baseline's, whether or not an interval belongs to it."""
    means = [math.fsum(each.values(metric)) / each.n for each in (row, study.baseline)]
    return means[0] - means[1]


def _samples(rows: Sequence[Row], metric: str) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row.values(metric)) for row in rows)
