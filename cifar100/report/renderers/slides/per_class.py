"""Which classes gain and lose against the baseline, or are easy and hard where there is nothing to compare."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from cifar100.report.claims.comparison import common_seeds
from cifar100.report.claims.statistics import summarize
from cifar100.report.records.row import Row
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.grid import Grid
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.class_results import Change, ClassResults, class_results
from cifar100.report.tables.number_text import percent, points

MOST = 10  # classes in each of the two tables
Lines = list[tuple[str, ...]]


def add_per_class(material: Material) -> None:
    """Nothing may be drawn where `class_results` finds none; see plan.py."""
    study, results = material.study, class_results(material.study)
    other = compared_row(material, results)
    if other is None:
        _add_extremes(material, results)
    else:
        _add_changes(material, other, results.changes(study, other))


def compared_row(material: Material, results: ClassResults) -> Row | None:
    """The row of the highest mean top-1, the baseline and what is identical to it aside, whose classes and seeds can be
    compared with the baseline's."""
    study = material.study
    others = [row for row in study.rows[1:] if row.identical_to != study.baseline.label]
    ordered = sorted(others, key=lambda row: -summarize(row.values("top1")).mean)
    return next((row for row in ordered if results.changes(study, row)), None)


def _add_changes(material: Material, row: Row, changes: Sequence[Change]) -> None:
    t, baseline = material.t, material.study.baseline
    page = material.page(t("classes.title"), t("classes.message", row=row.label, baseline=baseline.label))
    ordered = sorted(changes, key=lambda change: -change.difference)
    gains = [change for change in ordered if change.difference > 0][:MOST]
    losses = [change for change in reversed(ordered) if change.difference < 0][:MOST]
    columns = tuple(t(f"classes.columns.{key}") for key in ("name", "baseline", "row", "difference"))
    first, second = (t("classes.gains"), _lines(gains)), (t("classes.losses"), _lines(losses))
    sure = sum(change.distinguishable for change in changes)
    paired = len(common_seeds(material.study, row)) > 1
    note = t("classes.sure", n=sure, classes=len(changes)) if paired else t("classes.unpaired")
    _add_two(material, page, columns, first, second, note)
    page.add_notes(*run_notes(material, [baseline, row]))


def _lines(changes: Sequence[Change]) -> Lines:
    return [
        (each.name, percent(each.before / each.images), percent(each.after / each.images), points(each.difference))
        for each in changes
    ]


def _add_extremes(material: Material, results: ClassResults) -> None:
    t, row = material.t, material.study.baseline
    page = material.page(t("classes.title"), t("classes.alone", row=row.label))
    means = dict(zip(results.names, results.mean(row) or (), strict=False))
    ordered = sorted((name for name in means if isfinite(means[name])), key=lambda name: -means[name])
    half = min(MOST, len(ordered) // 2)
    columns = (t("classes.columns.name"), t("classes.columns.top1"))
    easy = [(name, percent(means[name])) for name in ordered[:half]]
    hard = [(name, percent(means[name])) for name in ordered[::-1][:half]]
    _add_two(material, page, columns, (t("classes.easy"), easy), (t("classes.hard"), hard), t("classes.picked"))
    page.add_notes(*run_notes(material, [row]))


def _add_two(
    material: Material,
    page: Page,
    columns: tuple[str, ...],
    first: tuple[str, Lines],
    second: tuple[str, Lines],
    note: str,
) -> None:
    box, foot = layout.BODY_BOX.split(-0.45)
    for place, (title, lines) in zip(box.columns(1, 1, gap=0.6), (first, second), strict=True):
        head, body = place.split(0.35)
        page.text(head, [title], 16, 11, layout.ACCENT)
        _add_lines(material, page, body, columns, lines)
    page.note_line(foot, note)


def _add_lines(material: Material, page: Page, box: Box, columns: tuple[str, ...], lines: Lines) -> None:
    if lines:
        add_table(page, box, Grid(columns, tuple(lines), (False, *[True] * (len(columns) - 1))))
    else:
        page.text(box, [material.t("classes.none")], 14)
