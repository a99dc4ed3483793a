"""Labels beside points that cover neither one another nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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
    size: float = 8,
) -> None:
    """Writes each label at the first place near its point that is free and within the axes.

    A label away from its point gets a thin line to it. One for which there is no free place is written nearest. Labels
    keep off `lines`, given by their ends, as well. Call when limits and layout of the axes are final.
    """
    figure = axes.figure
    figure.canvas.draw()  # settles the constrained layout
    figure.set_layout_engine("none")
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    taken = [_around(axes.transData.transform(point), 4) for point in points]
    taken += [_around(dot, 1) for line in lines for dot in _dots(*axes.transData.transform(line))]
    for point, label in zip(points, labels, strict=True):
        best = None
        for distance, direction in ((d, each) for d in _DISTANCES for each in _DIRECTIONS):
            text = _write(axes, point, label, direction, distance, size)
            box = text.get_window_extent(renderer).padded(1.5)
            if _inside(box, frame) and not any(box.overlaps(other) for other in taken):
                best = text, box
                break
            text.remove()
        text, box = best or _nearest(axes, point, label, size, renderer)
        taken.append(box)


def _write(axes: Axes, point: tuple[float, float], label: str, direction: tuple[int, int], distance: int, size: float):
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


def _nearest(axes: Axes, point: tuple[float, float], label: str, size: float, renderer):
    text = _write(axes, point, label, (1, 0), _DISTANCES[0], size)
    return text, text.get_window_extent(renderer)


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
