"""Test accuracy by class of every row, and its difference to the baseline's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from scipy import stats

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import common_seeds
from cifar100.report.claims.statistics import CONFIDENCE
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.records.study import Study

MAX_NAME = 40


@dataclass(frozen=True)
class Change:
    """A class on the seeds that row and baseline share: `images` of it in all, how many each got right, and the
    difference of the two shares (`difference`, a fraction; `distinguishable` at 95% for all classes at once)."""

    name: str
    superclass: str
    images: int
    before: int
    after: int
    difference: float
    distinguishable: bool


@dataclass(frozen=True)
class ClassResults:
    """`names`, `superclasses` ("" where there are none) and `images` (of one run) by class; `top1` by the label of a
    row and by seed, one fraction a class, nan for a class without images."""

    names: tuple[str, ...]
    superclasses: tuple[str, ...]
    images: tuple[int, ...]
    top1: Mapping[str, Mapping[int, tuple[float, ...]]]

    def mean(self, row: Row) -> list[float] | None:
        """By class, over the row's seeds; None for a row without results by class."""
        found = self.top1.get(row.label)
        return None if found is None else [fmean(each) for each in zip(*found.values(), strict=True)]

    def changes(self, study: Study, row: Row) -> list[Change]:
        """One for each class that has images; none where row and baseline share no seed or lack results by class."""
        seeds = common_seeds(study, row)
        ours, theirs = self.top1.get(row.label), self.top1.get(study.baseline.label)
        if not seeds or ours is None or theirs is None:
            return []
        classes = [index for index, count in enumerate(self.images) if count]
        return [self._change(index, seeds, ours, theirs, len(classes)) for index in classes]

    def _change(
        self,
        index: int,
        seeds: list[int],
        ours: Mapping[int, tuple[float, ...]],
        theirs: Mapping[int, tuple[float, ...]],
        classes: int,
    ) -> Change:
        after = {seed: ours[seed][index] for seed in seeds}
        before = {seed: theirs[seed][index] for seed in seeds}
        n = self.images[index]
        right_after, right_before = (sum(round(n * share) for share in each.values()) for each in (after, before))
        return Change(
            self.names[index],
            self.superclasses[index],
            n * len(seeds),
            right_before,
            right_after,
            (right_after - right_before) / (n * len(seeds)),
            _is_distinguishable(list(after.values()), list(before.values()), classes),
        )


def class_results(study: Study) -> ClassResults | None:
    """The results by class of all rows whose runs have them for the classes of the baseline's first run; None where
    that run has none."""
    first = study.baseline.runs[0]
    if not first.per_class:
        return None
    classes = _classes(first)
    rows = [row for row in study.rows if all(_classes(run) == classes for run in row.runs)]
    return ClassResults(
        tuple(plain_line(each["name"], MAX_NAME) for each in first.per_class),
        tuple(plain_line(each.get("superclass") or "", MAX_NAME) for each in first.per_class),
        tuple(each["n"] for each in first.per_class),
        {row.label: {run.seed: _top1(run) for run in row.runs} for row in rows},
    )


def _is_distinguishable(after: list[float], before: list[float], classes: int) -> bool:
    """Student's t test of two samples, corrected for the number of classes (Bonferroni). Samples without scatter, as
    small counts can be, show nothing."""
    if len(after) < 2 or (len(set(after)) == 1 and len(set(before)) == 1):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nearly equal seeds: nan, which is no difference
        return bool(stats.ttest_ind(after, before).pvalue * classes < 1 - CONFIDENCE)


def _classes(run: Run) -> list[tuple[int, str, int]]:
    return [(each["class"], each["name"], each["n"]) for each in run.per_class or ()]


def _top1(run: Run) -> tuple[float, ...]:
    return tuple(math.nan if each["top1"] is None else each["top1"] for each in run.per_class or ())
