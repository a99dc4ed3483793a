"""The files under a run's evaluation/, checked and with their numbers parsed."""

from io import BytesIO
from pathlib import Path
from typing import Any

from cifar100.base.errors import UserError
from cifar100.record import RecordError, RunDirectory
from cifar100.record.fields import PARAMETERS, field_of

_CURE = "run evaluate.py again"
MAX_SIDE, WIDEST = 20_000, 1_600  # pixels of a picture that are read, and that go into a report


def measured(evaluation: dict[str, Any], path: Path) -> dict[str, Any]:
    """`evaluation` itself. Raises RecordError where a number that every table needs is missing or impossible."""
    optional = ("latency_s", "images_per_s", "test/loss", "test/ece")
    for key in ("test/top1", "test/top5", "parameters", "macs", "n", *optional):
        value = evaluation.get(key)
        fault = (field_of(key) or PARAMETERS).fault(value)  # n is a count, too
        if fault and not (value is None and key in optional):
            raise RecordError(path, f"{key}={str(value)[:40]} {fault}; {_CURE}")
    return evaluation


def class_rows(record: RunDirectory) -> list[dict[str, Any]] | None:
    """The rows of per_class.csv with class and n as int, and top1, top5 and precision as fractions or None.

    None where there is no such file. Raises RecordError where it is damaged.
    """
    rows = record.read_csv("per_class.csv")
    try:
        return None if rows is None else [{**row, **_numbers(row)} for row in rows]
    except (KeyError, ValueError) as error:
        path = record.evaluation_path("per_class.csv")
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


def explanation(run: Path, name: str) -> bytes | None:
    """evaluation/explanations/<name>.png of a run directory, decoded and written again as RGB of at most WIDEST
    pixels across, so that nothing but its pixels gets into a report; None where there is no such picture."""
    from PIL import Image

    try:
        file = RunDirectory(run).read_bytes(f"explanations/{name}.png")
        if file is None:
            return None
        with Image.open(BytesIO(file), formats=["PNG"]) as image:
            if max(image.size) > MAX_SIDE:
                return None
            picture = image.convert("RGB")
    except (RecordError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture.thumbnail((WIDEST, MAX_SIDE))
    buffer = BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _numbers(row: dict[str, str]) -> dict[str, Any]:
    fractions = {key: _fraction(row[key]) for key in ("top1", "top5", "precision")}
    return {"name": row["name"], "class": _count(row["class"]), "n": _count(row["n"]), **fractions}


def _count(text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"{text[:40]} is no count")
    return int(text)


def _fraction(text: str) -> float | None:
    value = float(text or "nan")
    if text and not 0 <= value <= 1:
        raise UserError(f"{text[:40]} is no fraction")
    return value if text else None
