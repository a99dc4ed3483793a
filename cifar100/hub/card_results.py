"""The table of results on a model card, with error bars over seeds where there are any."""

from __future__ import annotations

import math

from cifar100.base.text import plain_line
from cifar100.report.claims.statistics import summarize
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.renderers.markdown_text import code, escaped, markdown_table
from cifar100.report.tables.number_text import NONE
from cifar100.report.tables.table import Cell, Table

# Key of the evaluation, what it is called, the factor it is shown with, decimals.
SHOWN = (
    ("test/top1", "test top-1 accuracy, %", 100, 2),
    ("test/top5", "test top-5 accuracy, %", 100, 2),
    ("test/superclass_top1", "test superclass accuracy, %", 100, 2),
    ("test/loss", "test cross-entropy, nats", 1, 4),
    ("test/ece", "test expected calibration error, %", 100, 2),
)


def results(run: Run, row: Row) -> list[str]:
    """A table and the sentences that say what it shows."""
    several = row.n > 1
    columns = ["metric", "these weights"]
    columns += [f"mean ± standard deviation of {row.n} seeds", "95% interval of the mean"] if several else []
    shown = [each for each in SHOWN if _is_number(run.evaluation.get(each[0]))]
    rows = tuple(_line(run, row, several, *each) for each in shown)
    table = Table("results", "", tuple(columns), rows, numeric=(False, *[True] * (len(columns) - 1)))
    return [markdown_table(table), _sentences(run, row)]


def _line(run: Run, row: Row, several: bool, key: str, name: str, factor: int, decimals: int) -> tuple[Cell, ...]:
    cells = [Cell(name), Cell(_text(run.evaluation[key], factor, decimals))]
    if several:
        over = summarize(row.values(key))
        mean, std, low, high = (_text(each, factor, decimals) for each in (over.mean, over.std, over.low, over.high))
        cells += [Cell(f"{mean} ± {std}"), Cell(f"[{low}, {high}]")]
    return tuple(cells)


def _sentences(run: Run, row: Row) -> str:
    evaluation = run.evaluation
    state = "best epoch by the held-out images" if evaluation.get("checkpoint") == "best" else "last epoch"
    epoch = evaluation.get("epoch")
    number = f" ({epoch})" if isinstance(epoch, int) else ""
    precision = code(plain_line(evaluation.get("precision") or "?", 20))
    text = f"Weights of the {state}{number}, seed {run.seed}, evaluated in {precision}. "
    if row.n == 1:
        return text + "There is one run, so nothing is known of how results vary with the seed."
    seeds = escaped(", ".join(map(str, row.seeds)))
    return text + (
        f"The runs with seeds {seeds} differ in nothing else. The interval is Student's t; it says where the mean over "
        "many seeds lies, not how far a single run may be from it."
    )


def _text(value: float, factor: int, decimals: int) -> str:
    return f"{factor * value:.{decimals}f}" if math.isfinite(value) else NONE


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
