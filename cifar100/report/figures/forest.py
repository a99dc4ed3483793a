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

    Its numbers and its verdict stand beside each, in the colour of the mark. None where no row has an interval.
    """
    differences = compare(study)
    rows = [row for row in study.rows[1:] if (each := differences[row.label]) is not None and each.has_interval]
    found = [(differences[row.label], _look(study, row, differences[row.label])) for row in rows]
    if not found:
        return None
    figure = new_figure(0.75 + 0.36 * len(found))
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    for place, (difference, look) in enumerate(found):
        _mark(axes, place, difference, LOOKS[look])
    axes.set_yticks(range(len(found)), [short(row.label) for row in rows])
    axes.set(ylim=(len(found) - 0.4, -0.6), xlabel=words("figures.difference"))
    axes.margins(x=0.04)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(found)), [f"{_numbers(each)}\n{words(f'figures.{look}')}" for each, look in found])
    for label, (_, look) in zip(right.get_yticklabels(), found, strict=True):
        label.set(color=LOOKS[look][0], fontsize=8, linespacing=1.05)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    return figure


def _mark(axes: Axes, place: int, difference: Difference, look: tuple[str, str]) -> None:
    colour, marker = look
    ends = [100 * difference.low, 100 * difference.high]
    axes.plot(ends, [place, place], color=colour, linewidth=1.4, marker="|", markersize=7)
    axes.plot(100 * difference.mean, place, marker=marker, color=colour, markersize=6)


def _look(study: Study, row: Row, difference: Difference) -> str:
    said = verdict(study, row, difference)
    return said if said in LOOKS else "undecided"


def _numbers(difference: Difference) -> str:
    return f"{points(difference.mean)}  {interval(difference.low, difference.high)}"
