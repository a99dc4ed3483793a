"""A listing of runs as text: a table for people, CSV for programs."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cifar100.base.text import aligned, no_formula
from cifar100.record.fields import METRICS, field_of

# Columns of a row, named as in the record where they are from there; of them, those that a terminal has room for.
COLUMNS = (
    "run", "study", "state", "label", "model", "seed", "epoch", "epochs", "best_epoch", "val/top1", "last_val/top1",
    *(field.key() for field in METRICS), "parameters", "macs", "train_s", "left_s", "updated", "error",
)  # fmt: skip
SHOWN = ("run", "state", "label", "seed", "epoch", "val/top1", "test/top1", "parameters", "left_s")
TEXT = ("run", "study", "state", "label", "model", "updated", "error")
Row = dict[str, Any]


def format_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """RFC 4180 text with a header. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([no_formula(row[column]) for column in columns])
    return text.getvalue().rstrip("\n")


def format_table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """A line for each run: accuracies in percent, times as h:mm:ss, the epoch of how many; a last line counts them."""
    table = [[_heading(column) for column in columns]]
    table += [[_cell(row, column) for column in columns] for row in rows]
    lines = aligned(table, [index for index, column in enumerate(columns) if column in TEXT])
    states = ", ".join(f"{count} {state}" for state, count in Counter(row["state"] for row in rows).items())
    return "\n".join([*lines, f"{len(rows)} run{'' if len(rows) == 1 else 's'}: {states or 'none fits'}"])


def _heading(column: str) -> str:
    return {"left_s": "left", "train_s": "trained"}.get(column, column)


def _cell(row: Row, column: str) -> str:
    value = row[column]
    if column == "epoch":
        return f"{value or 0}/{_number(row['epochs'])}"
    if value is None:
        return "-"
    field = field_of(column)
    return field.text(value, unit=True) if field else str(value)


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
