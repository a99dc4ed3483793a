"""How far two rows differ class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, ORANGE, new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 24  # classes that one figure shows; of more, those at both ends


def classes_figure(differences: Mapping[str, Sequence[float]], words: Words) -> Figure:
    """Differences of top-1 per class in points: a bar for the mean over seeds, a dot for each seed.

    `differences` holds fractions by class name; of more than MOST classes, the ones that gain and lose most are shown.
    """
    means = sorted(((fmean(values), name) for name, values in differences.items()), key=lambda pair: -pair[0])
    cut = len(means) > MOST
    shown = [*means[: MOST // 2], *means[-MOST // 2 :]] if cut else means
    figure = new_figure(0.9 + 0.19 * len(shown))
    axes = figure.add_subplot()
    for place, (mean, name) in enumerate(shown):
        axes.barh(place, 100 * mean, color=BLUE if mean >= 0 else ORANGE, height=0.62, alpha=0.85)
        values = [100 * value for value in differences[name]]
        if len(values) > 1:
            axes.plot(values, [place] * len(values), "o", color="black", markersize=2.6, alpha=0.75)
    if cut:
        axes.axhline(MOST // 2 - 0.5, color="black", linewidth=0.8, linestyle=":")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [short(name.replace("_", " "), 26) for _, name in shown], fontsize=8)
    axes.set(ylim=(len(shown) - 0.4, -0.6), xlabel=words("figures.class_difference"))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    return figure
