"""The pairs of classes that a network mistakes for each other most often."""

from __future__ import annotations

import logging
from typing import Any

from cifar100.evaluation.accuracy import confusions
from cifar100.evaluation.explanations.subject import Subject

log = logging.getLogger(__name__)
LOGGED = 10
HEADER = ("class_a", "class_b", "a_as_b", "b_as_a", "total", "share", "same_superclass")


def confused_pairs(subject: Subject) -> list[str]:
    """Writes confused_pairs.csv: all pairs that were confused at all, the most confused first; logs the first ten.

    a_as_b counts images of class a that were taken for class b; share is the total over the images of both classes.
    """
    rows = pairs(subject)
    for row in rows[:LOGGED]:
        log.info("confused: %s and %s, %d times (%d and %d)", row[0], row[1], row[4], row[2], row[3])
    return [subject.write_table("confused_pairs.csv", HEADER, rows)]


def pairs(subject: Subject) -> list[tuple[Any, ...]]:
    """Rows under `HEADER`, by descending total; among equals in the order of the classes."""
    names, parent = subject.run.data.class_names, subject.run.data.superclass_of
    matrix = confusions(subject.predictions)
    both, images = (matrix + matrix.T).triu(1), matrix.sum(dim=1)
    rows = []
    for first, second in both.nonzero().tolist():
        total, shown = int(both[first, second]), int(images[first] + images[second])
        rows.append(
            (
                names[first],
                names[second],
                int(matrix[first, second]),
                int(matrix[second, first]),
                total,
                total / shown,
                parent[first] == parent[second] if parent else None,
            )
        )
    return sorted(rows, key=lambda row: -row[4])
