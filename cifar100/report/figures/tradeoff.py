"""Accuracy over what it costs, with labels that cover neither one another nor a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from cifar100.report.claims.statistics import summarize
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, new_figure, short
from cifar100.report.records.study import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

MOST_LABELS = 30
COSTS = {"parameters": 1e6, "macs": 1e6, "latency_s": 1e-3}  # by metric, the unit that is drawn
Point = tuple[float, float]
# Where a label may go, from nearest to farthest: to the right, left, above, below, then farther out.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (7, 16, 27, 40, 56, 74, 95, 120)  # points
_ALIGN = {1: ("left", "bottom"), 0: ("center", "center"), -1: ("right", "top")}


def pareto(rows: Sequence[Row], cost: str) -> list[Row]:
    """The rows that no other one beats by the means: none costs as little or less and has a higher mean top-1, or the
    same at less. Cheapest first; rows without that cost are left out."""
    priced = [
        (price, -summarize(row.values("top1")).mean, row) for row in rows if (price := _cost(row, cost)) is not None
    ]
    front: list[Row] = []
    best = math.inf
    for _, error, row in sorted(priced, key=lambda point: point[:2]):
        if error < best:
            front.append(row)
            best = error
    return front


def tradeoff_figure(rows: Sequence[Row], cost: str, words: Words) -> Figure:
    """Mean test top-1 in percent over `cost` (parameters, macs or latency_s) with one standard deviation over the seeds
    of a row as whiskers; rows on the Pareto front are filled and joined."""
    shown, front = [row for row in rows if _cost(row, cost) is not None], pareto(rows, cost)
    figure = new_figure(3.5)
    axes = figure.add_subplot()
    look = {"fmt": "o", "color": BLUE, "markersize": 6, "elinewidth": 1, "capsize": 3}
    points, whiskers = [], []
    for row in shown:
        top1 = summarize(row.values("top1"))
        x, y = (_cost(row, cost) or 0) / COSTS[cost], 100 * top1.mean
        spread = 0 if math.isnan(top1.std) else 100 * top1.std
        axes.errorbar(x, y, yerr=spread or None, markerfacecolor=BLUE if row in front else "white", **look)
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
    _place_labels(axes, points, labels, lines)
    return figure


def _cost(row: Row, cost: str) -> float | None:
    value = getattr(row, cost)
    return None if value is None or not math.isfinite(value) else float(value)


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers where costs differ by more than a factor of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if min(values) > 0 and max(values) > 10 * min(values):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _place_labels(
    axes: Axes, points: Sequence[Point], labels: Sequence[str], lines: Sequence[tuple[Point, Point]]
) -> None:
    """Writes each label at the first place near its point that is free and within the axes.

    A label away from its point gets a thin line to it. One for which there is no free place covers as little as can
    be. Labels keep off `lines`, given by their ends, as well. Call when limits and layout of the axes are final.
    """
    figure = axes.figure
    figure.canvas.draw()  # settles the constrained layout
    figure.set_layout_engine("none")
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    frame = axes.get_window_extent(renderer)
    taken = [_around(axes.transData.transform(point), 4) for point in points]
    taken += [_around(dot, 1) for line in lines for dot in _dots(*axes.transData.transform(line))]
    for point, label in zip(points, labels, strict=True):
        least, best = len(taken) + 1, (_DISTANCES[0], (1, 0))
        for place in product(_DISTANCES, _DIRECTIONS):
            text = _write(axes, point, label, *place)
            box = _box(text, renderer)
            text.remove()
            covered = sum(box.overlaps(other) for other in taken)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and covered < least:
                least, best = covered, place
                if not covered:
                    break
        taken.append(_box(_write(axes, point, label, *best), renderer))


def _box(text: Annotation, renderer: Any) -> Bbox:
    """The area that the label covers, its line left out, and a little more."""
    from matplotlib.text import Text

    text.update_positions(renderer)
    return Text.get_window_extent(text, renderer).padded(1.5)


def _write(axes: Axes, point: Point, label: str, distance: int, direction: tuple[int, int]) -> Annotation:
    x, y = direction
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 4} if distance > 12 else None
    look = {"ha": _ALIGN[x][0], "va": _ALIGN[y][1], "fontsize": 9, "arrowprops": line, "annotation_clip": False}
    return axes.annotate(label, point, xytext=(x * distance, y * distance), textcoords="offset points", **look)


def _around(centre: Sequence[float], radius: float) -> Bbox:
    from matplotlib.transforms import Bbox

    x, y = centre
    return Bbox([[x - radius, y - radius], [x + radius, y + radius]])


def _dots(start: Sequence[float], end: Sequence[float], step: float = 6) -> list[Point]:
    """Points along a line, `step` pixels apart."""
    (x0, y0), (x1, y1) = start, end
    count = int(max(abs(x1 - x0), abs(y1 - y0)) // step) + 1
    return [(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count) for i in range(count + 1)]
