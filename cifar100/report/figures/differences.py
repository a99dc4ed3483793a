"""Differences to the baseline: of all rows with their intervals, and of one row class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from cifar100.report.claims.comparison import compare, verdict
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, ORANGE, new_figure, short
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import interval, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = {"better": (BLUE, "o"), "worse": (ORANGE, "s"), "undecided": (GREY, "D"), "identical": (GREY, "x")}
MOST_CLASSES = 24  # that one figure shows; of more, those at both ends


def forest_figure(study: Study, words: Words) -> Figure | None:
    """The mean difference of each row to the baseline in points of test top-1, with its simultaneous 95% interval.

    Its numbers and its verdict stand beside each, in the colour of the mark. None where no row has an interval.
    """
    differences = compare(study)
    shown = [(row, each) for row in study.rows[1:] if (each := differences[row.label]) and each.has_interval]
    if not shown:
        return None
    figure = new_figure(0.75 + 0.36 * len(shown))
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    texts, colours = [], []
    for place, (row, each) in enumerate(shown):
        decided = verdict(study, row, each)
        look = decided if decided in LOOKS else "undecided"
        colour, marker = LOOKS[look]
        ends = [100 * each.low, 100 * each.high]
        axes.plot(ends, [place, place], color=colour, linewidth=1.4, marker="|", markersize=7)
        axes.plot(100 * each.mean, place, marker=marker, color=colour, markersize=6)
        texts.append(f"{points(each.mean)}  {interval(each.low, each.high)}\n{words(f'figures.{look}')}")
        colours.append(colour)
    axes.set_yticks(range(len(shown)), [short(row.label) for row, _ in shown])
    axes.margins(x=0.04)
    _lines(axes, len(shown), words("figures.difference"))
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(shown)), texts)
    for label, colour in zip(right.get_yticklabels(), colours, strict=True):
        label.set(color=colour, fontsize=8, linespacing=1.05)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    return figure


def classes_figure(differences: Mapping[str, Sequence[float]], words: Words) -> Figure:
    """Differences of top-1 per class in points: a bar for the mean over seeds, a dot for each seed.

    `differences` holds fractions by class name; of more than MOST_CLASSES, the ones that gain and lose most are shown.
    """
    means = sorted(((fmean(values), name) for name, values in differences.items()), key=lambda pair: -pair[0])
    half = MOST_CLASSES // 2
    shown = [*means[:half], *means[-half:]] if len(means) > MOST_CLASSES else means
    figure = new_figure(0.9 + 0.19 * len(shown))
    axes = figure.add_subplot()
    for place, (mean, name) in enumerate(shown):
        axes.barh(place, 100 * mean, color=BLUE if mean >= 0 else ORANGE, height=0.62, alpha=0.85)
        values = [100 * value for value in differences[name]]
        if len(values) > 1:
            axes.plot(values, [place] * len(values), "o", color="black", markersize=2.6, alpha=0.75)
    if len(means) > MOST_CLASSES:
        axes.axhline(half - 0.5, color="black", linewidth=0.8, linestyle=":")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [short(name.replace("_", " "), 26) for _, name in shown], fontsize=8)
    _lines(axes, len(shown), words("figures.class_difference"))
    return figure


def _lines(axes: Axes, count: int, label: str) -> None:
    """A line of the figure for each entry, the first on top."""
    axes.set(ylim=(count - 0.4, -0.6), xlabel=label)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
