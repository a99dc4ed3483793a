"""The files under a run's evaluation/, checked and with their numbers parsed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cifar100.base.errors import UserError
from cifar100.record import RecordError, RunDirectory

_CURE = "run evaluate.py again"
_FRACTIONS = ("test/top1", "test/top5")
_COUNTS = ("parameters", "macs", "n")


def measured(evaluation: dict[str, Any], path: Path) -> dict[str, Any]:
    """`evaluation` itself. Raises RecordError where a number that every table needs is missing or impossible."""
    for key in _FRACTIONS:
        value = evaluation.get(key)
        if not _is_number(value) or not 0 <= value <= 1:
            raise RecordError(path, f"{key}={str(value)[:40]} is no fraction from 0 to 1; {_CURE}")
    for key in _COUNTS:
        value = evaluation.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RecordError(path, f"{key}={str(value)[:40]} is no count; {_CURE}")
    for key in ("latency_s", "images_per_s", "test/loss", "test/ece"):
        value = evaluation.get(key)
        if value is not None and (not _is_number(value) or value < 0):
            raise RecordError(path, f"{key}={str(value)[:40]} is no number of at least 0; {_CURE}")
    return evaluation


def class_rows(record: RunDirectory) -> list[dict[str, Any]] | None:
    """The rows of per_class.csv with class and n as int, and top1, top5 and precision as fractions or None.

    None where there is no such file. Raises RecordError where it is damaged.
    """
    rows = record.read_csv("per_class.csv")
    if rows is None:
        return None
    path = record.evaluation_path("per_class.csv")
    try:
        return [_class_row(row) for row in rows]
    except (KeyError, ValueError) as error:
        raise RecordError(path, f"is no table of classes ({error!r}); {_CURE}") from None


def confusion(record: RunDirectory) -> tuple[list[str], list[list[int]]] | None:
    """Class names and images by true (row) and predicted (column) class; None where there is no confusion.csv.

    Raises RecordError where it is damaged.
    """
    rows = record.read_csv("confusion.csv")
    if rows is None:
        return None
    path = record.evaluation_path("confusion.csv")
    try:
        names = [row["true class"] for row in rows]
        matrix = [[_count(value) for key, value in row.items() if key != "true class"] for row in rows]
    except (KeyError, ValueError) as error:
        raise RecordError(path, f"is no confusion matrix ({error!r}); {_CURE}") from None
    if any(len(row) != len(matrix) for row in matrix):
        raise RecordError(path, f"is no square matrix; {_CURE}")
    return names, matrix


def _class_row(row: dict[str, str]) -> dict[str, Any]:
    numbers = {key: _fraction(row[key]) for key in ("top1", "top5", "precision")}
    return {**row, "class": _count(row["class"]), "name": row["name"], "n": _count(row["n"]), **numbers}


def _count(text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"{text[:40]} is no count")
    return int(text)


def _fraction(text: str) -> float | None:
    if text == "":
        return None
    value = float(text)
    if not 0 <= value <= 1:
        raise UserError(f"{text[:40]} is no fraction")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
