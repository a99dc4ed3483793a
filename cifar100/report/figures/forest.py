"""Differences to the baseline with their intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..comparison import compare
from ..statistics import Difference
from ..study import Study
from ..words import Words
from .style import BLUE, GREY, ORANGE, new_figure, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = {"better": (BLUE, "o"), "worse": (ORANGE, "s"), "undecided": (GREY, "D")}


def forest_figure(study: Study, words: Words) -> Figure | None:
    """The mean difference of each row to the baseline in points of test top-1, with its simultaneous 95% interval.

    An interval that leaves the axes ends in an arrow; its numbers stand beside it. None where no row has an interval.
    """
    found = [(label, each) for label, each in compare(study).items() if each is not None]
    if not found:
        return None
    figure = new_figure(0.9 + 0.3 * len(found))
    axes = figure.add_subplot()
    reach = _reach([each for _, each in found])
    axes.axvline(0, color="black", linewidth=0.8)
    for place, (_, difference) in enumerate(found):
        _mark(axes, place, difference, reach)
    axes.set_yticks(range(len(found)), [short(label) for label, _ in found])
    axes.set(xlim=(-reach, reach), ylim=(len(found) - 0.4, -0.6), xlabel=words("figures.difference"))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(found)), [_numbers(each) for _, each in found])
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    _legend(figure, {_verdict(each) for _, each in found}, words)
    return figure


def _reach(differences: list[Difference]) -> float:
    """How far the axis goes to both sides, in points: to the ends of all intervals, unless some are so wide that the
    means could no longer be told apart."""
    means = [100 * abs(each.mean) for each in differences]
    ends = [100 * max(abs(each.low), abs(each.high)) for each in differences]
    widest = max(max(means) * 6, 2.0)
    return 1.08 * min(max(*ends, 0.1) if len(ends) > 1 else max(ends[0], 0.1), widest)


def _mark(axes: Axes, place: int, difference: Difference, reach: float) -> None:
    colour, marker = LOOKS[_verdict(difference)]
    low, high = (max(-reach, min(reach, 100 * end)) for end in (difference.low, difference.high))
    axes.plot([low, high], [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
    for end, value, arrow in ((low, difference.low, "<"), (high, difference.high, ">")):
        cut = abs(100 * value) > reach
        axes.plot(end, place, marker=arrow if cut else "|", color=colour, markersize=6 if cut else 7, clip_on=False)
    axes.plot(100 * difference.mean, place, marker=marker, color=colour, markersize=6)


def _verdict(difference: Difference) -> str:
    if not difference.distinguishable:
        return "undecided"
    return "better" if difference.mean > 0 else "worse"


def _numbers(difference: Difference) -> str:
    if math.isinf(difference.low):
        return f"{_signed(difference.mean)}"
    return f"{_signed(difference.mean)}  [{_signed(difference.low)}, {_signed(difference.high)}]"


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _legend(figure: Figure, verdicts: set[str], words: Words) -> None:
    from matplotlib.lines import Line2D

    shown = [verdict for verdict in LOOKS if verdict in verdicts]
    handles = [Line2D([], [], color=LOOKS[each][0], marker=LOOKS[each][1], linewidth=1.4) for each in shown]
    figure.legend(
        handles, [words(f"figures.{verdict}") for verdict in shown], loc="outside lower center", ncols=len(shown)
    )
