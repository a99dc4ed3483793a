"""The figure of two runs compared class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cifar100.evaluation.explanations.tiles import shortened
from cifar100.evaluation.figures import BLUE, GREY, ORANGE, figure_of, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = 50  # classes below each other
SHOWN = 200  # of more classes, those with the largest differences


def comparison_figure(rows: Sequence[tuple[Any, ...]], title: str, sentences: Sequence[str]) -> Figure:
    """Each class's difference with its simultaneous interval, from the most gained to the most lost.

    Classes whose interval leaves zero out are coloured, blue for better and orange for worse, and drawn with another
    mark, so that colour is not all that tells them.

    Args:
        rows: class (1 is the name), 6 to 8 difference, low and high, and last whether it is distinguishable.
        title: which runs are compared.
        sentences: what the numbers say.
    """
    shown = sorted(rows, key=lambda row: -abs(row[6]))[:SHOWN]
    shown = sorted(shown, key=lambda row: (-row[6], row[1]))
    panels = [shown[start : start + PANEL] for start in range(0, len(shown), PANEL)]
    deepest = max(len(panel) for panel in panels)
    width = max(7.0, 4.4 * len(panels))
    figure = figure_of(width, 0.145 * deepest + 2.1)
    low, high = min(0, *(row[7] for row in shown)), max(0, *(row[8] for row in shown))
    limits = 100 * (low - 0.04 * (high - low)), 100 * (high + 0.04 * (high - low))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel, limits, deepest)
    figure.supxlabel("difference of top-1, in percentage points", fontsize=8)
    rest = f"\nthe {SHOWN} of {len(rows)} classes with the largest differences" if len(rows) > SHOWN else ""
    lines = "\n".join(wrapped(line, int(14 * width)) for line in (*title.splitlines(), *sentences))
    figure.suptitle(lines + rest, fontsize=8, parse_math=False)
    return figure


def _draw(axes, rows: Sequence[tuple[Any, ...]], limits: tuple[float, float], deepest: int) -> None:
    for place, row in enumerate(rows):
        difference, low, high = (100 * each for each in row[6:9])
        colour = (BLUE if difference > 0 else ORANGE) if row[-1] else GREY
        axes.plot([low, high], [place, place], color=colour, linewidth=1.6 if row[-1] else 0.8)
        mark = "D" if row[-1] else "o"
        axes.plot(difference, place, mark, color=colour, markersize=4 if row[-1] else 2.5)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(range(len(rows)), [shortened(row[1], 24) for row in rows], fontsize=6.5, parse_math=False)
    axes.set_ylim(deepest - 0.4, -0.6)
    axes.set_xlim(*limits)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
