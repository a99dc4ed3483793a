"""Labels beside points that cover neither one another nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cifar100.report.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

Point = tuple[float, float]
# Where a label may go, from nearest to farthest: to the right, left, above, below, then farther out.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (7, 16, 27, 40, 56, 74, 95, 120)  # points
_ALIGN = {1: ("left", "bottom"), 0: ("center", "center"), -1: ("right", "top")}


def place_labels(
    axes: Axes,
    points: Sequence[Point],
    labels: Sequence[str],
    lines: Sequence[tuple[Point, Point]] = (),
    size: float = 9,
) -> None:
    """Writes each label at the first place near its point that is free and within the axes.

    A label away from its point gets a thin line to it. One for which there is no free place covers as little as can
    be. Labels keep off `lines`, given by their ends, as well. Call when limits and layout of the axes are final.
    """
    figure = axes.figure
    figure.canvas.draw()  # settles the constrained layout
    figure.set_layout_engine("none")
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    taken = [_around(axes.transData.transform(point), 4) for point in points]
    taken += [_around(dot, 1) for line in lines for dot in _dots(*axes.transData.transform(line))]
    for point, label in zip(points, labels, strict=True):
        best: tuple[int, tuple[tuple[int, int], int]] = (len(taken) + 1, ((1, 0), _DISTANCES[0]))
        for place in ((direction, distance) for distance in _DISTANCES for direction in _DIRECTIONS):
            text = _write(axes, point, label, *place, size)
            box = _box(text, renderer)
            text.remove()
            covered = sum(box.overlaps(other) for other in taken)
            if _inside(box, frame) and covered < best[0]:
                best = covered, place
                if not covered:
                    break
        taken.append(_box(_write(axes, point, label, *best[1], size), renderer))


def _box(text: Annotation, renderer: Any) -> Bbox:
    """What the label covers, its line left out, and a little more."""
    from matplotlib.text import Text

    text.update_positions(renderer)
    return Text.get_window_extent(text, renderer).padded(1.5)


def _write(
    axes: Axes, point: tuple[float, float], label: str, direction: tuple[int, int], distance: int, size: float
) -> Annotation:
    x, y = direction
    return axes.annotate(
        label,
        point,
        xytext=(x * distance, y * distance),
        textcoords="offset points",
        ha=_ALIGN[x][0],
        va=_ALIGN[y][1],
        fontsize=size,
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 4} if distance > 12 else None,
        annotation_clip=False,
    )


def _around(centre: Sequence[float], radius: float) -> Bbox:
    from matplotlib.transforms import Bbox

    x, y = centre
    return Bbox([[x - radius, y - radius], [x + radius, y + radius]])


def _dots(start: Sequence[float], end: Sequence[float], step: float = 6) -> list[tuple[float, float]]:
    """Points along a line, `step` pixels apart."""
    (x0, y0), (x1, y1) = start, end
    count = int(max(abs(x1 - x0), abs(y1 - y0)) // step) + 1
    return [(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count) for i in range(count + 1)]


def _inside(box: Bbox, frame: Bbox) -> bool:
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
