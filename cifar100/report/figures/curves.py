"""What training and validation looked like, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from cifar100.base.errors import UserError
from cifar100.report.document.words import Words
from cifar100.report.figures.style import COLOURS, DASHES, WIDTH, new_figure, short, width
from cifar100.report.records.row import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LETTER, LEGEND_HANDLE = 0.085, 0.75  # inches that a letter and a line take in the legend
MOST = len(COLOURS)  # rows that one figure can tell apart


def has_curve(rows: Sequence[Row], metric: str) -> bool:
    """Whether any run of the rows recorded `metric` (loss or top1) at all."""
    return any(_by_epoch(row, f"{split}/{metric}") for row in rows for split in ("train", "val"))


def curves_figure(rows: Sequence[Row], metric: str, words: Words) -> Figure:
    """`metric` (loss or top1) over epochs on training and, where recorded, held-out images.

    Each line is the mean over the seeds of a row, the band around it reaches from the lowest seed to the highest.

    Raises:
        ValueError: more than MOST rows, which the colours could not tell apart.
    """
    if len(rows) > MOST:
        raise UserError(f"{len(rows)} rows are more than the {MOST} that one figure tells apart")
    splits = [split for split in ("train", "val") if any(_by_epoch(row, f"{split}/{metric}") for row in rows)]
    figure = new_figure(3.2 + 0.2 * math.ceil(len(rows) / 3))
    panels = figure.subplots(1, len(splits), sharex=True, sharey=True, squeeze=False)[0]
    for axes, split in zip(panels, splits, strict=True):
        for index, row in enumerate(rows):
            _draw(axes, _by_epoch(row, f"{split}/{metric}"), index, 100 if metric == "top1" else 1)
        axes.set(title=words(f"figures.{split}"), xlabel=words("figures.epoch"))
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set_ylabel(words(f"figures.curve_{metric}"))
    _legend(figure, rows)
    return figure


def _by_epoch(row: Row, key: str) -> dict[int, list[float]]:
    """The values of a row's runs at each epoch, where they are numbers."""
    found: dict[int, list[float]] = {}
    for run in row.runs:
        for line in run.epochs:
            value, epoch = line.get(key), line.get("epoch")
            if isinstance(epoch, int) and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(epoch, []).append(float(value))
    return dict(sorted(found.items()))


def _draw(axes: Axes, values: dict[int, list[float]], index: int, factor: float) -> None:
    if not values:
        return
    epochs = list(values)
    colour = COLOURS[index]
    means = [factor * fmean(each) for each in values.values()]
    marker = "o" if len(epochs) < 3 else None
    axes.plot(epochs, means, color=colour, linestyle=DASHES[index], linewidth=1.5, marker=marker, markersize=3.5)
    if any(len(each) > 1 for each in values.values()):
        low, high = ([factor * end(each) for each in values.values()] for end in (min, max))
        axes.fill_between(epochs, low, high, color=colour, alpha=0.13, linewidth=0)


def _legend(figure: Figure, rows: Sequence[Row]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=COLOURS[i], linestyle=DASHES[i], linewidth=1.5) for i in range(len(rows))]
    labels = [short(row.label) for row in rows]
    widest = LEGEND_HANDLE + LETTER * max(map(width, labels))
    columns = max(1, min(3, len(rows), int(WIDTH / widest)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, handlelength=3.2)
