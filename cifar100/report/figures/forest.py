"""Differences to the baseline with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cifar100.report.claims.comparison import compare, verdict
from cifar100.report.claims.statistics import Difference
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, ORANGE, new_figure, short
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import interval, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = {"better": (BLUE, "o"), "worse": (ORANGE, "s"), "undecided": (GREY, "D"), "identical": (GREY, "x")}


def forest_figure(study: Study, words: Words) -> Figure | None:
    """The mean difference of each row to the baseline in points of test top-1, with its simultaneous 95% interval.

    An interval that leaves the axes ends in an arrow; its numbers stand beside it. None where no row has an interval.
    """
    differences = compare(study)
    rows = [row for row in study.rows[1:] if differences[row.label] is not None]
    found = [(differences[row.label], _look(study, row, differences[row.label])) for row in rows]
    if not found:
        return None
    figure = new_figure(0.9 + 0.3 * len(found))
    axes = figure.add_subplot()
    reach = _reach([each for each, _ in found])
    axes.axvline(0, color="black", linewidth=0.8)
    for place, (difference, look) in enumerate(found):
        _mark(axes, place, difference, LOOKS[look], reach)
    axes.set_yticks(range(len(found)), [short(row.label) for row in rows])
    axes.set(xlim=(-reach, reach), ylim=(len(found) - 0.4, -0.6), xlabel=words("figures.difference"))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(found)), [_numbers(each) for each, _ in found])
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    _legend(figure, {look for _, look in found}, words)
    return figure


def _reach(differences: list[Difference]) -> float:
    """How far the axis goes to both sides, in points: to the ends of all intervals, unless some are so wide that the
    means could no longer be told apart."""
    means = [100 * abs(each.mean) for each in differences]
    ends = [100 * max(abs(each.low), abs(each.high)) for each in differences]
    widest = max(max(means) * 6, 2.0)
    return 1.08 * min(max(*ends, 0.1) if len(ends) > 1 else max(ends[0], 0.1), widest)


def _mark(axes: Axes, place: int, difference: Difference, look: tuple[str, str], reach: float) -> None:
    colour, marker = look
    low, high = (max(-reach, min(reach, 100 * end)) for end in (difference.low, difference.high))
    axes.plot([low, high], [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
    for end, value, arrow in ((low, difference.low, "<"), (high, difference.high, ">")):
        cut = abs(100 * value) > reach
        axes.plot(end, place, marker=arrow if cut else "|", color=colour, markersize=6 if cut else 7, clip_on=False)
    axes.plot(100 * difference.mean, place, marker=marker, color=colour, markersize=6)


def _look(study: Study, row: Row, difference: Difference) -> str:
    said = verdict(study, row, difference)
    return said if said in LOOKS else "undecided"


def _numbers(difference: Difference) -> str:
    return f"{points(difference.mean)}  {interval(difference.low, difference.high)}"


def _legend(figure: Figure, looks: set[str], words: Words) -> None:
    from matplotlib.lines import Line2D

    shown = [look for look in LOOKS if look in looks]
    handles = [Line2D([], [], color=LOOKS[each][0], marker=LOOKS[each][1], linewidth=1.4) for each in shown]
    figure.legend(handles, [words(f"figures.{look}") for look in shown], loc="outside lower center", ncols=len(shown))
