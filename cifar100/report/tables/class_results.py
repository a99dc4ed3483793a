"""Numbers of single classes: accuracy, its difference to the baseline's, and which classes are taken for which."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy
from scipy import stats

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import common_seeds
from cifar100.report.claims.statistics import CONFIDENCE
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row, Study

MAX_NAME = 40
CLASSES = 12  # that a confusion matrix shows


@dataclass(frozen=True)
class Change:
    """A class on the seeds that row and baseline share: the difference of the two shares of right answers (a fraction),
    and whether it is distinguishable at 95% for all classes at once."""

    name: str
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

    def mean(self, row: Row) -> list[float]:
        """By class, over the row's seeds."""
        return [fmean(each) for each in zip(*self.top1[row.label].values(), strict=True)]

    def changes(self, study: Study, row: Row) -> list[Change]:
        """One for each class that has images; none where row and baseline share no seed or lack results by class."""
        classes = [index for index, count in enumerate(self.images) if count]
        found = []
        for index, after, before in ((index, *self._shared(study, row, index)) for index in classes):
            if after:
                n = self.images[index]
                right = sum(round(n * share) for share in after) - sum(round(n * share) for share in before)
                sure = _is_distinguishable(after, before, len(classes))
                found.append(Change(self.names[index], right / (n * len(after)), sure))
        return found

    def differences(self, study: Study, row: Row) -> dict[str, list[float]]:
        """The row's top-1 minus the baseline's by class, a fraction for each common seed; classes without images are
        left out. Empty where the two have no seed in common or lack results by class."""
        found = {}
        for index, name in enumerate(self.names):
            values = [ours - theirs for ours, theirs in zip(*self._shared(study, row, index), strict=True)]
            if values and all(map(math.isfinite, values)):
                found[name] = values
        return found

    def by_superclass(self, by_class: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
        """The mean over the classes of each superclass, for each seed; empty where there are no superclasses."""
        members: dict[str, list[Sequence[float]]] = {}
        for name, group in zip(self.names, self.superclasses, strict=True):
            if group and name in by_class:
                members.setdefault(group, []).append(by_class[name])
        return {group: [fmean(seed) for seed in zip(*each, strict=True)] for group, each in members.items()}

    def _shared(self, study: Study, row: Row, index: int) -> tuple[list[float], list[float]]:
        """Accuracies of row and baseline on one class, by the seeds that both have."""
        both = [self.top1.get(each.label) for each in (row, study.baseline)]
        seeds = common_seeds(study, row) if all(both) else []
        ours, theirs = ([each[seed][index] for seed in seeds] for each in both)
        return ours, theirs


def class_results(study: Study) -> ClassResults | None:
    """The results by class of all rows whose runs have them for the classes of the baseline's first run; None where
    that run has none."""
    first = study.baseline.runs[0]
    if not first.per_class:
        return None
    rows = [row for row in study.rows if all(_classes(run) == _classes(first) for run in row.runs)]
    return ClassResults(
        tuple(plain_line(each["name"], MAX_NAME) for each in first.per_class),
        tuple(plain_line(each.get("superclass") or "", MAX_NAME) for each in first.per_class),
        tuple(each["n"] for each in first.per_class),
        {
            row.label: {
                run.seed: tuple(math.nan if each["top1"] is None else each["top1"] for each in run.per_class or ())
                for run in row.runs
            }
            for row in rows
        },
    )


@dataclass(frozen=True)
class Confused:
    """The classes that the first of `rows` takes for one another most often.

    `names` are theirs, `shares` (one matrix a row, of shape (names, names)) say how much of a true class is predicted
    as which. `pairs` hold true class, predicted class and the mean number of images a run of each row, the most
    frequent of the first row first.
    """

    rows: tuple[Row, ...]
    names: tuple[str, ...]
    shares: tuple[numpy.ndarray, ...]
    pairs: tuple[tuple[str, str, tuple[float, ...]], ...]


def confused_classes(rows: Sequence[Row]) -> Confused | None:
    """Of the rows all of whose runs have a confusion matrix of the same classes; None where the first is none."""
    first, *others = [(row, _confusion(row)) for row in rows]
    if first[1] is None:
        return None
    names = first[1][0]
    alike = [(row, each[1]) for row, each in (first, *others) if each is not None and each[0] == names]
    counts = alike[0][1]
    pairs = [(int(true), int(taken)) for true, taken in zip(*numpy.nonzero(counts), strict=True) if true != taken]
    pairs.sort(key=lambda pair: (-counts[pair], pair))
    chosen: dict[int, None] = {}
    for pair in pairs:
        chosen |= dict.fromkeys(pair)
        if len(chosen) >= min(CLASSES, len(names)):
            break
    shown = sorted(chosen)
    shares = [matrix / numpy.maximum(matrix.sum(axis=1, keepdims=True), 1) for _, matrix in alike]
    return Confused(
        tuple(row for row, _ in alike),
        tuple(names[each] for each in shown),
        tuple(each[numpy.ix_(shown, shown)] for each in shares),
        tuple(
            (names[true], names[taken], tuple(float(matrix[true, taken]) / row.n for row, matrix in alike))
            for true, taken in pairs
        ),
    )


def _confusion(row: Row) -> tuple[list[str], numpy.ndarray] | None:
    """Class names and the sum (classes, classes) of all runs' confusion matrices; None where one lacks it."""
    found = [run.confusion for run in row.runs]
    names = found[0][0] if found[0] else []
    if any(each is None or each[0] != names for each in found):
        return None
    matrices = [numpy.asarray(each[1], dtype=float) for each in found if each]
    return [plain_line(name, MAX_NAME) for name in names], numpy.sum(matrices, axis=0)


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
