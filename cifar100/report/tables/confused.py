"""The classes that are taken for one another most often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.tables.class_values import confusion_of
from cifar100.report.tables.table import Cell, Table

PAIRS, CLASSES = 10, 12


@dataclass(frozen=True)
class Confused:
    """`shares` (one matrix a row, of shape (classes, classes)) say how much of a true class is predicted as which."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    shares: tuple[numpy.ndarray, ...]


def confused_classes(rows: Sequence[Row]) -> Confused | None:
    """The classes of the pairs that the first row confuses most, in the order of the classes, and how each row that has
    a confusion matrix of the same classes does on them; None where the first has none."""
    found = _matrices(rows)
    if not found:
        return None
    names, matrices = found
    chosen: list[int] = []
    for pair in _pairs(matrices[0][1]):
        chosen += [each for each in pair if each not in chosen]
        if len(chosen) >= min(CLASSES, len(names)):
            break
    order = sorted(chosen)
    shares = [matrix / numpy.maximum(matrix.sum(axis=1, keepdims=True), 1) for _, matrix in matrices]
    return Confused(
        tuple(names[each] for each in order),
        tuple(row for row, _ in matrices),
        tuple(each[numpy.ix_(order, order)] for each in shares),
    )


def confused_table(rows: Sequence[Row], words: Words, id: str = "confused") -> Table | None:
    """The PAIRS of true and predicted class that the first row confuses most, with the mean number of images a run."""
    found = _matrices(rows)
    if not found:
        return None
    names, matrices = found
    lines = []
    for true, predicted in _pairs(matrices[0][1])[:PAIRS]:
        means = [float(matrix[true, predicted]) / row.n for row, matrix in matrices]
        shown = [names[each].replace("_", " ") for each in (true, predicted)]
        lines.append((*map(Cell, shown), *(Cell(f"{mean:.1f}", mean) for mean in means)))
    labels = [row.label for row, _ in matrices]
    return Table(
        id=id,
        title=words("tables.confused"),
        columns=(*(words(f"tables.columns.{key}") for key in ("true_class", "predicted_class")), *labels),
        rows=tuple(lines),
        numeric=(False, False, *(True,) * len(labels)),
        keys=("true_class", "predicted_class", *(f"row_{place}" for place in range(len(labels)))),
    )


def _matrices(rows: Sequence[Row]) -> tuple[list[str], list[tuple[Row, numpy.ndarray]]] | None:
    found = [(row, each) for row in rows if (each := confusion_of(row)) and each[2] == row.n]
    if not found or found[0][0] is not rows[0]:
        return None
    names = found[0][1][0]
    return names, [(row, matrix) for row, (theirs, matrix, _) in found if theirs == names]


def _pairs(matrix: numpy.ndarray) -> list[tuple[int, int]]:
    """True and predicted class, the most frequent confusion first, among equals by class."""
    pairs = [(int(true), int(said)) for true, said in zip(*numpy.nonzero(matrix), strict=True) if true != said]
    return sorted(pairs, key=lambda pair: (-matrix[pair], pair))
