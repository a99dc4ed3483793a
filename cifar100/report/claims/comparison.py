"""The rows of a study against its baseline."""

from __future__ import annotations

import math

from cifar100.report.claims.statistics import Difference, paired_difference
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study

VERDICTS = ("better", "worse", "undecided", "uniform", "identical", "one_seed", "no_common_seed")


def comparisons(study: Study) -> int:
    """How many rows share at least two seeds with the baseline; at least 1."""
    seeds = set(study.baseline.seeds)
    return max(1, sum(len(seeds.intersection(row.seeds)) > 1 for row in study.rows[1:]))


def compare(study: Study, metric: str = "top1") -> dict[str, Difference | None]:
    """By the label of every row but the baseline: its difference to it, None where fewer than two seeds are common.

    `metric` is one that `Row.values` knows. The intervals of one metric hold at once.
    """
    count = comparisons(study)
    baseline = study.baseline.by_seed(metric)
    return {row.label: paired_difference(row.by_seed(metric), baseline, count) for row in study.rows[1:]}


def verdict(study: Study, row: Row, difference: Difference | None) -> str:
    """What `difference`, of `compare`, says of the row, for a metric of which more is better; one of VERDICTS.

    better, worse: the interval excludes zero.
    undecided: it does not.
    uniform: all seeds differ by the same amount, so that there is no interval.
    identical: the row trains the baseline's network by its recipe; a difference is chance whatever the interval says.
    one_seed, no_common_seed: there are no two pairs to compare.
    """
    if row.identical_to == study.baseline.label:
        return "identical"
    if difference is None:
        return "one_seed" if common_seeds(study, row) else "no_common_seed"
    if math.isinf(difference.low):
        return "uniform"
    if not difference.distinguishable:
        return "undecided"
    return "better" if difference.mean > 0 else "worse"


def common_seeds(study: Study, row: Row) -> list[int]:
    return sorted(set(row.seeds) & set(study.baseline.seeds))
