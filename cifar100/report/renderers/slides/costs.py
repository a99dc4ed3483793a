"""What the rows cost in time, and how far their confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from cifar100.report.claims.statistics import summarize
from cifar100.report.records.row import Row
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.accuracy import rows_note
from cifar100.report.renderers.slides.grid import Grid
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.number_text import NONE, count, duration, milliseconds, percent


def add_costs(material: Material) -> None:
    t, rows = material.t, material.study.rows
    page = material.page(t("costs.title"), t("costs.message"))
    box, foot = layout.BODY_BOX.split(-0.45)
    columns, texts = costs_of(material, rows)
    shown = add_table(page, box, Grid(columns, texts, (False, *[True] * (len(columns) - 1))))
    page.note_line(foot, f"{rows_note(material, shown)} {t('costs.note')}".strip())
    page.add_notes(*run_notes(material, rows[:shown]))


def costs_of(material: Material, rows: Sequence[Row]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Headings and cells; a column in which no row has a number is left out."""
    columns = {
        "train": [duration(row.train_s) for row in rows],
        "latency": [milliseconds(row.latency_s) for row in rows],
        "throughput": [count(_mean(row, "images_per_s")) for row in rows],
        "loss": [f"{loss:.3f}" if isfinite(loss := _mean(row, "test/loss")) else NONE for row in rows],
        "ece": [percent(_mean(row, "test/ece")) for row in rows],
    }
    kept = {key: cells for key, cells in columns.items() if set(cells) != {NONE}}
    names = {"row": "tables.columns.row", "train": "tables.columns.train_s"}
    headings = tuple(material.words(names.get(key, f"slides.costs.columns.{key}")) for key in ("row", *kept))
    return headings, tuple((row.label, *(cells[i] for cells in kept.values())) for i, row in enumerate(rows))


def _mean(row: Row, key: str) -> float:
    return summarize(row.values(key)).mean
