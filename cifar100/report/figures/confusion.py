"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy

from cifar100.report.document.words import Words
from cifar100.report.figures.style import new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = 30  # more classes than this cannot be named at the width of a page


def confusion_figure(
    matrix: numpy.ndarray, names: Sequence[str], superclasses: Sequence[str] | None, words: Words
) -> Figure:
    """The confusion matrix of shape (classes, classes), rows as fractions of the true class, on a square-root scale
    that keeps single confusions visible.

    Args:
        matrix: images by true (row) and predicted (column) class.
        names: of the classes.
        superclasses: of each class, or None. Classes are put in their order, and with more than NAMED classes the
            axes name superclasses instead of classes.
        words: the language.
    """
    from matplotlib.colors import PowerNorm

    order = sorted(range(len(names)), key=lambda index: (superclasses[index] if superclasses else "", index))
    shares = matrix / numpy.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = new_figure(6.0)
    axes = figure.add_subplot()
    image = axes.imshow(
        shares[numpy.ix_(order, order)], cmap="cividis", norm=PowerNorm(0.5, 0, 1), interpolation="nearest"
    )
    axes.grid(visible=False)
    if len(names) <= NAMED:
        _ticks(axes, range(len(names)), [names[index] for index in order])
    elif superclasses:
        _groups(axes, [superclasses[index] for index in order])
    axes.set(xlabel=words("figures.predicted"), ylabel=words("figures.true"))
    bar = figure.colorbar(image, ax=axes, fraction=0.04, pad=0.015)
    bar.set_ticks(
        [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1], labels=[f"{t:g}" for t in (0, 1, 5, 10, 20, 40, 60, 80, 100)]
    )
    bar.set_label(words("figures.share"))
    return figure


def _groups(axes, superclasses: Sequence[str]) -> None:
    """Lines between superclasses and their names at the middle of each."""
    edges = [i for i in range(1, len(superclasses)) if superclasses[i] != superclasses[i - 1]]
    for edge in edges:
        axes.axhline(edge - 0.5, color="white", linewidth=0.4, alpha=0.55)
        axes.axvline(edge - 0.5, color="white", linewidth=0.4, alpha=0.55)
    starts = [0, *edges, len(superclasses)]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, starts[1:], strict=False)]
    _ticks(axes, middles, [superclasses[start] for start in starts[:-1]])


def _ticks(axes, places: Sequence[float], names: Sequence[str]) -> None:
    shown = [short(name.replace("_", " "), 26) for name in names]
    size = 8 if len(shown) <= 12 else 7
    axes.set_xticks(list(places), shown, rotation=90, fontsize=size)
    axes.set_yticks(list(places), shown, fontsize=size)
    axes.tick_params(length=2)
