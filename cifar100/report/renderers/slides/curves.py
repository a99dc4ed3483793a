"""Accuracy and loss over the epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from cifar100.report.records.row import Row
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.legend import Entry, add_legend
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.scale import set_whole_scale
from cifar100.report.renderers.slides.scatter import Cloud, add_scatter

MOST_ROWS = 8
MOST_POINTS = 100  # more cannot be told apart, and make the file large
FEW_EPOCHS = 12  # up to which every epoch gets a marker
BOTH = 3  # rows up to which training and held-out images share a chart


def has_curves(rows: Sequence[Row]) -> bool:
    return any(_splits(rows, metric) for metric in ("top1", "loss"))


def add_curves(material: Material) -> None:
    t, rows = material.t, material.study.rows[:MOST_ROWS]
    page = material.page(t("curves.title"), t("curves.message"))
    box, foot = layout.BODY_BOX.split(-0.28)
    places = box.columns(5, 5, 2.6, gap=0.25)
    for place, metric in zip(places, ("top1", "loss"), strict=False):
        _add_chart(material, page, place, rows, metric)
    add_legend(page, places[2], [Entry("■", layout.SERIES[i], row.label) for i, row in enumerate(rows)])
    left_out = len(material.study.rows) - len(rows)
    note = t("rows_left_out", shown=len(rows), n=len(material.study.rows)) if left_out else t("curves.note")
    page.note_line(foot, note)
    page.add_notes(*run_notes(material, rows))


def _add_chart(material: Material, page: Page, box: Box, rows: Sequence[Row], metric: str) -> None:
    """Held-out images where they were recorded, training images (dashed) beside them or in their place."""
    head, box = box.split(0.3, gap=0.05)
    splits = _splits(rows, metric)
    if not splits:
        page.text(box, [material.t("curves.none")], 14)
        return
    if len(rows) > BOTH:
        splits = splits[:1]
    factor = 100 if metric == "top1" else 1
    clouds = []
    for index, row in enumerate(rows):
        for split in splits:
            means = mean_by_epoch(row, f"{split}/{metric}")
            if means:
                points = tuple((epoch, factor * means[epoch]) for epoch in thinned(list(means)))
                clouds.append(_line(material, row, index, split, points, dashed=split == "train" and len(splits) > 1))
    kinds = {"val": material.words("figures.val"), "train": material.words("figures.train")}
    named = {"train": material.t("curves.dashed", name=kinds["train"]) if len(splits) > 1 else kinds["train"]}
    page.text(head, [" · ".join((kinds | named)[split] for split in splits)], 12, 9, layout.MUTED)
    name = material.words(f"figures.curve_{metric}")
    chart = add_scatter(page, box, clouds, material.words("figures.epoch"), name)
    set_whole_scale(chart.category_axis, max(epoch for cloud in clouds for epoch, _ in cloud.points))


def _line(
    material: Material, row: Row, index: int, split: str, points: tuple[tuple[float, float], ...], dashed: bool
) -> Cloud:
    name = f"{row.label} ({material.words(f'figures.{split}')})"
    marker = 5 if len(points) <= FEW_EPOCHS else 0
    return Cloud(name, points, layout.SERIES[index], line=True, marker=marker, dashed=dashed)


def _splits(rows: Sequence[Row], metric: str) -> list[str]:
    return [split for split in ("val", "train") if any(mean_by_epoch(row, f"{split}/{metric}") for row in rows)]


def mean_by_epoch(row: Row, key: str) -> dict[int, float]:
    """The mean of a row's runs at each epoch, where they recorded it."""
    found: dict[int, list[float]] = {}
    for run in row.runs:
        for line in run.epochs:
            value, epoch = line.get(key), line.get("epoch")
            if isinstance(epoch, int) and isinstance(value, int | float) and math.isfinite(value):
                found.setdefault(epoch, []).append(float(value))
    return {epoch: fmean(values) for epoch, values in sorted(found.items())}


def thinned(epochs: Sequence[int]) -> list[int]:
    """At most MOST_POINTS of the epochs at equal steps, the last always among them."""
    step = -(-len(epochs) // MOST_POINTS) or 1
    return list(epochs[::-1][::step])[::-1]
