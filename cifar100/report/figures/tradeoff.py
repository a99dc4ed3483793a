"""Accuracy over what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from cifar100.report.claims.statistics import summarize
from cifar100.report.document.words import Words
from cifar100.report.figures.placing import place_labels
from cifar100.report.figures.style import BLUE, GREY, new_figure, short
from cifar100.report.records.row import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 30
COSTS = {"parameters": 1e6, "macs": 1e6, "latency_s": 1e-3}  # by metric, the unit that is drawn


def pareto(rows: Sequence[Row], cost: str) -> list[Row]:
    """The rows that no other one beats by the means: none costs as little or less and has a higher mean top-1, or the
    same at less. Cheapest first; rows without that cost are left out."""
    points = [(_cost(row, cost), -summarize(row.values("top1")).mean, row) for row in rows]
    front: list[Row] = []
    best = math.inf
    for price, error, row in sorted((point for point in points if point[0] is not None), key=lambda point: point[:2]):
        if error < best:
            front.append(row)
            best = error
        assert price is not None
    return front


def tradeoff_figure(rows: Sequence[Row], cost: str, words: Words) -> Figure:
    """Mean test top-1 in percent over `cost` (parameters, macs or latency_s) with one standard deviation over the seeds
    of a row as whiskers; rows on the Pareto front are filled and joined."""
    shown = [row for row in rows if _cost(row, cost) is not None]
    front = pareto(shown, cost)
    figure = new_figure(3.5)
    axes = figure.add_subplot()
    points, whiskers = [], []
    for row in shown:
        top1 = summarize(row.values("top1"))
        x, y = _cost(row, cost) / COSTS[cost], 100 * top1.mean
        spread = 0 if math.isnan(top1.std) else 100 * top1.std
        face = BLUE if row in front else "white"
        axes.errorbar(
            x, y, yerr=spread or None, fmt="o", color=BLUE, markerfacecolor=face, markersize=6, elinewidth=1, capsize=3
        )
        points.append((x, y))
        whiskers.append(((x, y - spread), (x, y + spread)))
    steps = [points[shown.index(row)] for row in front]
    axes.plot(*zip(*steps, strict=True), color=GREY, linewidth=1, drawstyle="steps-post", zorder=1)
    _scale(axes, [x for x, _ in points])
    axes.set(xlabel=words(f"figures.{cost}"), ylabel=words("figures.top1"))
    axes.margins(x=0.12, y=0.14)
    corners = [(after[0], before[1]) for before, after in pairwise(steps)]
    lines = [*pairwise(sorted([*steps, *corners])), *whiskers]
    labels = [short(row.label, 28) for row in shown]
    if len(front) > 1:  # the longest step is where its name finds room
        before, after = max(pairwise(steps), key=lambda step: step[1][0] - step[0][0])
        points.append(((before[0] + after[0]) / 2, before[1]))
        labels.append(words("figures.front"))
    if len(labels) > MOST_LABELS:  # no room for all, and looking for it takes long
        kept = [place for place, row in enumerate(shown) if row in front][:MOST_LABELS]
        points, labels = [points[place] for place in kept], [labels[place] for place in kept]
    place_labels(axes, points, labels, lines)
    return figure


def _cost(row: Row, cost: str) -> float | None:
    value = getattr(row, cost)
    return None if value is None or not math.isfinite(value) else float(value)


def _scale(axes, values: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers where costs differ by more than a factor of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if min(values) > 0 and max(values) > 10 * min(values):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
