"""The rows of a study against its baseline."""

from __future__ import annotations

from .statistics import Difference, paired_difference
from .study import Study


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
