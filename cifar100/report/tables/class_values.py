"""Numbers of single classes for the figures: summed confusion matrices, and differences seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean

import numpy

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import common_seeds
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.class_results import MAX_NAME, ClassResults


def confusion_of(row: Row) -> tuple[list[str], numpy.ndarray, int] | None:
    """Class names, the sum (classes, classes) of the runs' confusion matrices and how many runs have one of the first
    one's classes; None where no run has any."""
    found = [run.confusion for run in row.runs if run.confusion is not None]
    if not found:
        return None
    names = found[0][0]
    alike = [matrix for each, matrix in found if each == names]
    shown = [plain_line(name, MAX_NAME) for name in names]
    return shown, numpy.sum([numpy.asarray(matrix, dtype=float) for matrix in alike], axis=0), len(alike)


def differences_by_class(study: Study, row: Row, results: ClassResults) -> dict[str, list[float]]:
    """The row's top-1 minus the baseline's by class, a fraction for each common seed; classes without images are left
    out. Empty where the two have no seed in common or lack results by class."""
    ours, theirs = results.top1.get(row.label), results.top1.get(study.baseline.label)
    seeds = common_seeds(study, row)
    if not seeds or ours is None or theirs is None:
        return {}
    found = {}
    for index, name in enumerate(results.names):
        values = [ours[seed][index] - theirs[seed][index] for seed in seeds]
        if all(map(isfinite, values)):
            found[name] = values
    return found


def differences_by_superclass(results: ClassResults, by_class: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """The mean over the classes of each superclass, for each seed; empty where there are no superclasses."""
    members: dict[str, list[Sequence[float]]] = {}
    for name, group in zip(results.names, results.superclasses, strict=True):
        if group and name in by_class:
            members.setdefault(group, []).append(by_class[name])
    return {group: [fmean(seed) for seed in zip(*each, strict=True)] for group, each in members.items()}
