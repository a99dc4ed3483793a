"""Training and validation, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.document.content import Content
from cifar100.report.document.document import FigureBlock, Section
from cifar100.report.figures.curves import MOST, curves_figure, has_curve
from cifar100.report.records.row import Row

METRICS = ("loss", "top1")


def curves(content: Content) -> Section:
    rows = content.main.rows
    figures = [block for metric in METRICS if has_curve(rows, metric) for block in _figures(content, metric)]
    if not figures:
        return content.heading("curves.heading", content.paragraph("curves.none"))
    held_out = any(
        f"val/{metric}" in line for row in rows for run in row.runs for line in run.epochs for metric in METRICS
    )
    text = "curves.text" if held_out else "curves.text_train_only"
    return content.heading("curves.heading", content.paragraph(text), *figures)


def _figures(content: Content, metric: str) -> list[FigureBlock | None]:
    groups = grouped(content.main.rows)
    found = []
    for part, rows in enumerate(groups, 1):
        caption = content.line(f"curves.caption_{metric}")
        if len(groups) > 1:
            caption = content.line("curves.caption_part", caption=caption, part=part, parts=len(groups))
        id = f"curves-{metric}" if len(groups) == 1 else f"curves-{metric}-{part}"
        found.append(content.figure(id, caption, lambda rows=rows: curves_figure(rows, metric, content.figure_words)))
    return found


def grouped(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Rows in groups that one figure can tell apart, the baseline first in each."""
    if len(rows) <= MOST:
        return [rows]
    baseline, others = rows[0], rows[1:]
    return [(baseline, *others[start : start + MOST - 1]) for start in range(0, len(others), MOST - 1)]
