"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy

from cifar100.report.document.words import Words
from cifar100.report.figures.style import new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRITTEN = 0.005  # shares from here on are printed into their cells


def confusion_figure(names: Sequence[str], shares: Mapping[str, numpy.ndarray], words: Words) -> Figure:
    """Confusions among some classes, a panel for each design, on a square-root scale that keeps single ones visible.

    Args:
        names: of the classes.
        shares: by the label of a design, images by true (row) and predicted (column) class as fractions of all images
            of the true class.
        words: the language.
    """
    from matplotlib.colors import PowerNorm

    figure = new_figure(4.4 if len(shares) > 1 else 5.0)
    panels = figure.subplots(1, len(shares), sharey=True, squeeze=False)[0]
    shown = [short(name.replace("_", " "), 18) for name in names]
    for axes, (label, matrix) in zip(panels, shares.items(), strict=True):
        axes.imshow(matrix, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
        axes.grid(visible=False)
        for (true, taken), share in numpy.ndenumerate(matrix):
            if share >= WRITTEN:
                colour = "white" if share > 0.4 else "black"
                axes.text(taken, true, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=colour)
        axes.set_title(short(label), fontsize=8.5)
        axes.set_xticks(range(len(shown)), shown, rotation=90, fontsize=7)
        axes.set_yticks(range(len(shown)), shown, fontsize=7)
        axes.tick_params(length=0)
        axes.set_xlabel(words("figures.predicted"))
    panels[0].set_ylabel(words("figures.true"))
    return figure
