"""The classes and superclasses that a network answers worst."""

from __future__ import annotations

import logging
from typing import Any

from cifar100.evaluation.accuracy import confusions, superclass_rows
from cifar100.evaluation.explanations.subject import Subject

log = logging.getLogger(__name__)
LOGGED = 5
CLASSES = ("class", "name", "superclass", "n", "top1", "low", "high", "taken_for", "taken_for_share")
SUPERCLASSES = ("superclass", "name", "classes", "n", "top1", "low", "high", "superclass_top1")


def hardest(subject: Subject) -> list[str]:
    """Writes hardest_classes.csv and, where there are superclasses, hardest_superclasses.csv, the hardest first.

    low and high are Wilson's 95% interval of top-1, of each class by itself: among a hundred, some of the lowest are
    low by chance. taken_for is the wrong answer that was given most often.
    """
    rows = classes(subject)
    for row in rows[:LOGGED]:
        log.info("hardest: %s, top-1 %.1f%% (95%% interval %.1f to %.1f)", row[1], *(100 * each for each in row[4:7]))
    files = [subject.write_table("hardest_classes.csv", CLASSES, rows)]
    if subject.run.data.superclass_of:
        files.append(subject.write_table("hardest_superclasses.csv", SUPERCLASSES, superclasses(subject)))
    return files


def classes(subject: Subject) -> list[tuple[Any, ...]]:
    """Rows under `CLASSES` of the classes that have images, by ascending top-1."""
    matrix = confusions(subject.predictions)
    names = subject.run.data.class_names
    rows = []
    for index, row in enumerate(matrix):
        right, count = int(row[index]), int(row.sum())
        if count:
            wrong = row.clone()
            wrong[index] = 0
            other, times = int(wrong.argmax()), int(wrong.max())
            taken_for = (names[other] if times else None, times / count)
            rows.append((index, names[index], subject.superclass(index), count, *interval(right, count), *taken_for))
    return sorted(rows, key=lambda row: row[4])


def superclasses(subject: Subject) -> list[tuple[Any, ...]]:
    """Rows under `SUPERCLASSES` of those that have images, by ascending top-1 over the classes."""
    data = subject.run.data
    rows = []
    for row in superclass_rows(subject.predictions, data.superclass_names, data.superclass_of):
        if row["n"]:
            shares = interval(round(row["top1"] * row["n"]), row["n"])
            rows.append((row["superclass"], row["name"], row["classes"], row["n"], *shares, row["superclass_top1"]))
    return sorted(rows, key=lambda row: row[4])


def interval(right: int, count: int) -> tuple[float, float, float]:
    """The share of `right` in `count` and Wilson's 95% interval of it (Wilson, JASA 22, 1927)."""
    from scipy.stats import binomtest  # here, since training imports this file and would wait for it

    wilson = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return right / count, float(wilson.low), float(wilson.high)
