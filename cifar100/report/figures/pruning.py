"""Accuracy over what pruning leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cifar100.report.claims.statistics import summarize
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, ORANGE, new_figure
from cifar100.report.records.deployment import is_pruned, sparsity
from cifar100.report.records.study import Row, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pruning_figure(study: Study, words: Words) -> Figure:
    """Mean test top-1 in percent with one standard deviation: on the left over the share of zeros, of networks as large
    as the baseline; on the right over multiply-adds, of narrower ones. What was not pruned is hollow."""
    base, sizes = study.baseline, {row.macs for row in study.rows if is_pruned(row)}
    sparse = [row for row in study.rows if is_pruned(row) and row.macs == base.macs]
    narrow = [row for row in study.rows if row.macs in sizes - {base.macs}]
    panels = [("sparsity", [(row, 100 * sparsity(row)) for row in (base, *sparse)])] if sparse else []
    panels += [("macs", [(row, row.macs / 1e6) for row in (base, *narrow)])] if narrow else []
    figure = new_figure(2.9)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, places) in zip(every, panels, strict=True):
        for row, x in places:
            _point(axes, x, row, baseline=row is base)
        joined = sorted((x, _mean(row)) for row, x in places if is_pruned(row) or row is base)
        axes.plot(*zip(*joined, strict=True), color=GREY, linewidth=1, zorder=1)
        axes.set_xlabel(words(f"figures.{name}"))
    every[0].set_ylabel(words("figures.top1"))
    return figure


def _mean(row: Row) -> float:
    return 100 * summarize(row.values("top1")).mean


def _point(axes: Axes, x: float, row: Row, *, baseline: bool) -> None:
    std, pruned = summarize(row.values("top1")).std, is_pruned(row)
    colour = BLUE if pruned or baseline else ORANGE
    look = {"fmt": "o", "color": colour, "markerfacecolor": colour if pruned else "white", "elinewidth": 1}
    axes.errorbar(x, _mean(row), yerr=None if math.isnan(std) else 100 * std, capsize=3, **look)
