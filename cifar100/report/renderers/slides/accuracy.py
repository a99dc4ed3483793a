"""Accuracy of every row with its interval, and its difference to the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cifar100.report.claims.comparison import compare, comparisons, verdict
from cifar100.report.claims.statistics import Difference, summarize
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.bars import MOST_BARS, Bar, add_bars
from cifar100.report.renderers.slides.grid import Grid, grid_of
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.shorten import distinct
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.columns import Columns

LABEL = 34  # characters of a row's name beside its bar
COLOURS = {"better": layout.BLUE, "worse": layout.ORANGE}
COLUMNS = ("row", "pairs", "change", "verdict")


def add_accuracy(material: Material) -> None:
    t, rows = material.t, material.study.rows[:MOST_BARS]
    if all(row.n == 1 for row in rows):
        message = t("accuracy.single")
    else:
        message = t("accuracy.message" if len(rows) > 1 else "accuracy.alone")
    page = material.page(t("accuracy.title"), message)
    box, foot = layout.BODY_BOX.split(-0.28)
    bars = []
    for row, label in zip(rows, distinct([row.label for row in rows], LABEL), strict=True):
        top1 = summarize(row.values("top1"))
        colour = layout.GREY if row is material.study.baseline else layout.BLUE
        low, high = _within(top1.low), _within(top1.high)
        bars.append(Bar(label, 100 * top1.mean, 100 * low, 100 * high, colour))
    add_bars(page, box, bars, material.words("figures.top1"), material.words("figures.top1"))
    page.note_line(foot, rows_note(material, len(rows)) or t("accuracy.note"))
    page.add_notes(*run_notes(material, rows))


def _within(end: float) -> float:
    """The end of an interval where an accuracy can be: a t interval of two seeds may reach beyond."""
    return min(max(end, 0.0), 1.0) if math.isfinite(end) else end


def add_differences(material: Material) -> None:
    """A chart of the differences, and a table with interval and verdict."""
    t, study = material.t, material.study
    found = compare(study)
    message = t("differences.message", baseline=study.baseline.label, n=comparisons(study))
    page = material.page(t("differences.title"), message if any(found.values()) else t("differences.none"))
    box, foot = layout.BODY_BOX.split(-0.28)
    left, right = box.columns(1, 1) if any(found.values()) else (box, box)
    table = Columns(study, material.words).table("differences", "", COLUMNS)
    grid = coloured(grid_of(table), study, table.keys.index("verdict")).part(1, 1 + MOST_BARS)
    count = add_table(page, right, grid, 13.0)
    add_difference_bars(material, page, left, study.rows[1 : 1 + count], found)
    page.note_line(foot, rows_note(material, 1 + count) or (t("differences.note") if any(found.values()) else ""))
    page.add_notes(*run_notes(material, study.rows[: 1 + count]))


def add_difference_bars(
    material: Material, page: Page, box: Box, rows: Sequence[Row], found: Mapping[str, Difference | None]
) -> None:
    """Bars of the mean differences of the rows that have one; intervals beyond the reach of the axis end there."""
    pairs = [(row, difference) for row in rows if (difference := found.get(row.label)) is not None]
    if not pairs:
        return
    reach = _reach([difference for _, difference in pairs])
    bars = []
    for (_, each), label in zip(pairs, distinct([row.label for row, _ in pairs], LABEL - 8), strict=True):
        low, high = (max(-reach, min(reach, 100 * end)) for end in (each.low, each.high))
        known = math.isfinite(each.low)
        colour = COLOURS.get("undecided" if not each.distinguishable else _sign(each), layout.GREY)
        bars.append(Bar(label, 100 * each.mean, low if known else math.nan, high if known else math.nan, colour))
    name = material.t("differences.axis")
    add_bars(page, box, bars, name, name)


def coloured(grid: Grid, study: Study, column: int) -> Grid:
    """The grid over all rows of the study with its verdicts in colour and the baseline in bold."""
    found = compare(study)
    colours = {}
    for index, row in enumerate(study.rows[1:], 1):
        colours[(index, column)] = COLOURS.get(verdict(study, row, found[row.label]), layout.GREY)
    return Grid(grid.columns, grid.rows, grid.numeric, colours, frozenset({0}))


def rows_note(material: Material, shown: int) -> str:
    """That rows are left out of a chart or table; nothing where none is."""
    everything = len(material.study.rows)
    return material.t("rows_left_out", shown=shown, n=everything) if shown < everything else ""


def _sign(difference: Difference) -> str:
    return "better" if difference.mean > 0 else "worse"


def _reach(differences: Sequence[Difference]) -> float:
    """Points to which intervals are drawn: some are so wide that the means could no longer be told apart."""
    means = [100 * abs(each.mean) for each in differences]
    ends = [100 * abs(end) for each in differences for end in (each.low, each.high)]
    widest = max(max(means) * 6, 2.0)
    return min(max((end for end in ends if math.isfinite(end)), default=widest), widest)
