"""Figures of an evaluation, drawn without a display.

Colours are viridis and Okabe-Ito's blue and orange, which colour-blind readers tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING

from torch import Tensor

from cifar100.metrics import reliability_bins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
PLENTY = 0.05  # of all images make a bar opaque
NAMED = 200  # more classes than this are drawn without their names


def confusion_figure(matrix: Tensor, names: Sequence[str], title: str, superclass_of: Sequence[int] = ()) -> Figure:
    """The confusion matrix (classes, classes), rows as fractions of the true class, classes grouped by superclass.

    The figure grows with the number of classes, so that 100 names stay readable; a square-root scale keeps single
    confusions visible beside the diagonal.
    """
    from matplotlib.colors import PowerNorm

    count, named = len(names), len(names) <= NAMED
    order = sorted(range(count), key=lambda index: (superclass_of[index] if superclass_of else 0, index))
    shares = (matrix / matrix.sum(dim=1, keepdim=True).clamp(min=1))[order][:, order]
    side = max(4.0, 0.135 * min(count, NAMED))
    figure = figure_of(side + 2.2, side + 1.6)
    axes = figure.add_subplot()
    image = axes.imshow(shares.numpy(), cmap="viridis", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    labels = [names[index].replace("_", " ") for index in order]
    if named:
        size = 9 if count <= 20 else 6.5
        axes.set_xticks(range(count), labels, rotation=90, fontsize=size, parse_math=False)
        axes.set_yticks(range(count), labels, fontsize=size, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(wrapped(title), fontsize=9, parse_math=False)
    if superclass_of:
        parents = [superclass_of[index] for index in order]
        for edge in (index for index in range(1, count) if parents[index] != parents[index - 1]):
            axes.axhline(edge - 0.5, color="white", linewidth=0.4, alpha=0.6)
            axes.axvline(edge - 0.5, color="white", linewidth=0.4, alpha=0.6)
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    bar.set_ticks([0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1])
    bar.set_label("fraction of the true class (square-root scale)")
    return figure


def reliability_figure(confidences: Tensor, correct: Tensor, title: str, ece: float) -> Figure:
    """Accuracy over confidence in 15 bins, with the diagonal of perfect calibration; below, the images in each bin.

    A bar that stands for few images is pale; the dot on it is at the mean confidence of its images.
    """
    bins = reliability_bins(confidences, correct)
    width = float(bins.upper[0] - bins.lower[0])
    centres = ((bins.lower + bins.upper) / 2).tolist()
    counts = bins.count.tolist()
    figure = figure_of(5.4, 5.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bars = upper.bar(centres, bins.accuracy.nan_to_num().tolist(), width, color=BLUE, edgecolor="white")
    for bar, count in zip(bars, counts, strict=True):
        bar.set_alpha(0.15 + 0.85 * min(1.0, count / max(1.0, PLENTY * sum(counts))))
    filled = bins.count > 0
    upper.plot(
        bins.confidence[filled].tolist(), bins.accuracy[filled].tolist(), "o", color=ORANGE, markersize=4,
        markeredgecolor="white",
    )  # fmt: skip
    upper.plot([0, 1], [0, 1], "--", color=GREY)
    upper.text(0.02, 0.97, "bar: accuracy, pale where few images\ndot: mean confidence", va="top", fontsize=8)
    upper.text(0.3, 0.33, "perfect calibration", color=GREY, rotation=35, fontsize=8, ha="center", va="bottom")
    upper.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
    upper.set_title(wrapped(f"{title}\nexpected calibration error {ece:.3f}"), fontsize=9, parse_math=False)
    heights = lower.bar(centres, counts, width, color=GREY, edgecolor="white")
    lower.bar_label(heights, [f"{count:,}" if count else "" for count in counts], fontsize=6.5, padding=1)
    lower.margins(y=0.22)
    lower.set(xlabel="confidence", ylabel="images")
    return figure


def wrapped(title: str, width: int = 64) -> str:
    """Run ids can be longer than a small figure is wide; `width` is in characters. What no font has becomes a blank."""
    lines = ("".join(each if each.isprintable() else " " for each in line) for line in title.splitlines())
    return "\n".join(part for line in lines for part in wrap(line, width, break_on_hyphens=True))


def figure_of(width: float, height: float) -> Figure:
    """An empty figure of so many inches, without pyplot: no display, no global state that grows over a sweep."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """The figure as a PNG file of 150 dots per inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=150)
    return buffer.getvalue()
