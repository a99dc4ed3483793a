"""Training and validation, epoch by epoch: one design in full, or all designs side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from cifar100.base.values import is_number
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, ORANGE, new_figure, short
from cifar100.report.records.study import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = {"loss": 1, "top1": 100}  # by metric, the factor from a record's value to the drawn one
PANELS, MOST = 4, 16  # designs side by side, and in one figure
LOOKS = {"train": (ORANGE, (0, (4, 2))), "val": (BLUE, "-")}
BEHIND = "#BBBBBB"


def training_figure(row: Row, words: Words) -> Figure | None:
    """Loss and top-1 of one design on training and held-out images: the mean over its seeds, and a band from the lowest
    to the highest. None where no run recorded any."""
    metrics = [metric for metric in METRICS if _is_recorded(row, metric)]
    if not metrics:
        return None
    figure = new_figure(2.5)
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        for split in LOOKS:
            _curve(axes, row, split, metric, words=words)
        axes.set(xlabel=words("figures.epoch"), ylabel=words(f"figures.curve_{metric}"))
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return figure


def designs_figure(rows: Sequence[Row], metric: str, words: Words) -> Figure | None:
    """A panel for each design with its training (dashed) and validation (solid) curve, means over seeds, the baseline's
    in grey behind them; the first MOST designs. None where no run recorded `metric`."""
    shown = [row for row in rows if _is_recorded(row, metric)][:MOST]
    if not shown:
        return None
    columns = min(PANELS, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = new_figure(0.5 + 1.55 * lines)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, row in zip(panels, shown, strict=False):
        for split in LOOKS:
            if row is not rows[0]:
                _curve(axes, rows[0], split, metric, colour=BEHIND)
            _curve(axes, row, split, metric)
        axes.set_title(short(row.label, 24), fontsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.supxlabel(words("figures.epoch"), fontsize=8.5, color=GREY)
    figure.supylabel(words(f"figures.curve_{metric}"), fontsize=8.5, color=GREY)
    return figure


def last_epoch(row: Row, key: str) -> float | None:
    """The mean of a recorded number over the runs' last epochs; None where no run has it."""
    values = _by_epoch(row, key)
    return fmean(values[max(values)]) if values else None


def _is_recorded(row: Row, metric: str) -> bool:
    return any(_by_epoch(row, f"{split}/{metric}") for split in LOOKS)


def _by_epoch(row: Row, key: str) -> dict[int, list[float]]:
    """The values of a row's runs at each epoch, where they are numbers."""
    found: dict[int, list[float]] = {}
    for run in row.runs:
        for line in run.epochs:
            value, epoch = line.get(key), line.get("epoch")
            if isinstance(epoch, int) and is_number(value):
                found.setdefault(epoch, []).append(float(value))
    return dict(sorted(found.items()))


def _curve(
    axes: Axes, row: Row, split: str, metric: str, *, colour: str | None = None, words: Words | None = None
) -> None:
    """The mean over seeds; with words, for a legend, a band as well."""
    (usual, dash), factor = LOOKS[split], METRICS[metric]
    values = _by_epoch(row, f"{split}/{metric}")
    if not values:
        return
    means = [factor * fmean(each) for each in values.values()]
    look = {"color": colour or usual, "linestyle": dash, "linewidth": 1.3, "markersize": 3.5}
    label, marker = words(f"figures.{split}") if words else "", "o" if len(values) < 3 else None
    axes.plot(list(values), means, marker=marker, label=label, **look)
    if words and any(len(each) > 1 for each in values.values()):
        low, high = ([factor * end(each) for each in values.values()] for end in (min, max))
        axes.fill_between(list(values), low, high, color=usual, alpha=0.15, linewidth=0)
