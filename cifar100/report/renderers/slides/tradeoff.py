"""Accuracy over parameters and over multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.claims.statistics import summarize
from cifar100.report.figures.tradeoff import pareto
from cifar100.report.records.row import Row
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.legend import Entry, add_legend
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.scatter import SIGNS, Cloud, add_scatter

MILLION = 1e6
NAMED = 10  # rows that each have a colour and shape; of more, only those on a front have


def add_tradeoff(material: Material) -> None:
    t, rows = material.t, material.study.rows
    page = material.page(t("tradeoff.title"), t("tradeoff.message"))
    box, foot = layout.BODY_BOX.split(-0.28)
    left, middle, right = box.columns(5, 5, 2.6, gap=0.25)
    named = named_rows(material)
    for place, cost in ((left, "parameters"), (middle, "macs")):
        _add_chart(material, page, place, cost, named)
    entries = [Entry(SIGNS[i % len(SIGNS)], _colour(i), row.label) for i, row in enumerate(named)]
    if len(named) < len(rows):
        entries.append(Entry(SIGNS[0], layout.RULE, t("tradeoff.others", n=len(rows) - len(named))))
    entries.append(Entry("—", layout.GREY, material.words("figures.front")))
    add_legend(page, right, entries)
    page.note_line(foot, t("tradeoff.note"))
    page.add_notes(*run_notes(material, rows))


def named_rows(material: Material) -> list[Row]:
    """All rows, or of many the baseline and those on either front, as far as there are colours."""
    rows = list(material.study.rows)
    if len(rows) <= NAMED:
        return rows
    fronts = [row for cost in ("parameters", "macs") for row in pareto(rows, cost)]
    chosen = {row.label for row in [rows[0], *fronts]}
    return [row for row in rows if row.label in chosen][:NAMED]


def _add_chart(material: Material, page: Page, box: Box, cost: str, named: Sequence[Row]) -> None:
    rows, words = material.study.rows, material.words
    front = tuple(_point(row, cost) for row in pareto(rows, cost))
    clouds = [Cloud(words("figures.front"), front, layout.GREY, line=True, marker=0)] if len(front) > 1 else []
    others = tuple(_point(row, cost) for row in rows if row not in named)
    if others:
        clouds.append(Cloud(material.t("tradeoff.others", n=len(others)), others, layout.RULE, marker=6))
    clouds += [Cloud(row.label, (_point(row, cost),), _colour(i), shape=i) for i, row in enumerate(named)]
    add_scatter(page, box, clouds, words(f"figures.{cost}"), words("figures.top1"))


def _colour(index: int) -> str:
    return layout.SERIES[index % len(layout.SERIES)]


def _point(row: Row, cost: str) -> tuple[float, float]:
    return getattr(row, cost) / MILLION, 100 * summarize(row.values("top1")).mean
