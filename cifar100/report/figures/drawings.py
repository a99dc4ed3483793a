"""Block diagrams: how a network, a block or a module is wired, from lines such as ``x > conv3 > add > y``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.figures.style import BLUE, GREY, WIDTH, new_figure, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE, LETTER, LINE = 8, 0.066, 0.145  # points of type; inches that a letter and a line of it take
GAP, LANE = 0.2, 0.2  # inches between boxes, sideways and between lanes
CIRCLES = {"add", "multiply"}
PLAIN = {"x", "y", "u", "u2"}
FILLED = "#E3EFF7"


@dataclass
class Node:
    token: str
    text: str
    lane: int
    own: bool
    column: int = 0

    @property
    def size(self) -> tuple[float, float]:
        lines = self.text.split("\n")
        pad = 0.02 if self.token in PLAIN else 0.16
        return LETTER * max(map(width, lines)) + pad, LINE * len(lines) + 0.13


@dataclass
class Graph:
    """The first line of a diagram is its main path, in lane 0. Every later one begins and ends at boxes that are there
    (``add#2`` is the second ``add``) and puts what lies between into a lane of its own below."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[Node, Node, int]] = field(default_factory=list)
    lanes: int = 0

    def path(self, line: str, texts: Mapping[str, str]) -> None:
        tokens = [token.strip() for token in line.split(">")]
        ends = {0, len(tokens) - 1} if self.nodes else set()
        found = [self._at(token) if place in ends else None for place, token in enumerate(tokens)]
        chain = []
        for token, node in zip(tokens, found, strict=True):
            name = token.lstrip("*")
            chain.append(node or Node(name, texts[name], self.lanes, token.startswith("*")))
        self.nodes += [node for node, known in zip(chain, found, strict=True) if known is None]
        self.edges += [(a, b, self.lanes) for a, b in zip(chain, chain[1:], strict=False)]
        self.lanes += len(tokens) > 2 or chain[0].lane == chain[-1].lane
        for node, after, _ in self.edges * len(self.nodes):
            after.column = max(after.column, node.column + 1)

    def _at(self, token: str) -> Node:
        name, _, number = token.partition("#")
        return [node for node in self.nodes if node.token == name][int(number or 1) - 1]


def diagram(panels: Mapping[str, Sequence[str]], texts: Mapping[str, str]) -> Figure:
    """One diagram below the other under their titles; `texts` says what is printed for each token of their lines.

    Boxes of a token with a star are a design's own part, and filled.

    Raises:
        KeyError, IndexError: a token without a text or an end that is not there; a bug of whoever wrote the line.
    """
    graphs = []
    for lines in panels.values():
        graph = Graph()
        for line in lines:
            graph.path(line, texts)
        graphs.append(graph)
    heights = [sum(_lane_heights(graph)) + (0.3 if len(panels) > 1 else 0.1) for graph in graphs]
    figure = new_figure(sum(heights) + 0.05)
    places = figure.subplots(len(graphs), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, title, graph, height in zip(places, panels, graphs, heights, strict=True):
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        if len(panels) > 1:
            axes.text(0, 0.1, title, fontsize=SIZE, color=GREY, va="center")
        _draw(axes, graph, 0.3 if len(panels) > 1 else 0.05)
    return figure


def _lane_heights(graph: Graph) -> list[float]:
    """Of each lane, with the space to the next."""
    tallest = [
        max((node.size[1] for node in graph.nodes if node.lane == lane), default=0.05) for lane in range(graph.lanes)
    ]
    return [height + LANE for height in tallest]


def _draw(axes: Axes, graph: Graph, top: float) -> None:
    columns = range(1 + max(node.column for node in graph.nodes))
    widths = [max(node.size[0] for node in graph.nodes if node.column == column) for column in columns]
    total = sum(widths) + GAP * (len(widths) - 1)
    scale = min(1.0, (WIDTH - 0.1) / total)
    lefts = [(WIDTH - scale * total) / 2 + scale * (sum(widths[:c]) + GAP * c) for c in columns]
    heights = _lane_heights(graph)
    middle = [top + sum(heights[:lane]) + (heights[lane] - LANE) / 2 for lane in range(graph.lanes)]
    at = {id(node): (lefts[node.column] + scale * widths[node.column] / 2, middle[node.lane]) for node in graph.nodes}
    for a, b, lane in graph.edges:
        (x, y), (u, v) = at[id(a)], at[id(b)]
        right, left = x + scale * a.size[0] / 2, u - scale * b.size[0] / 2
        turn, below = lefts[a.column] + scale * (widths[a.column] + GAP / 2), v + _half(b)
        if a.lane == b.lane == lane:
            points = [(right, y), (left, v)]
        elif a.lane < b.lane:
            points = [(right, y), (turn, y), (turn, v), (left, v)]
        else:
            start = [(right, y)] if a.lane > b.lane else [(right, y), (turn, y), (turn, middle[lane])]
            points = [*start, (u, start[-1][1]), (u, below)]
        axes.plot(*zip(*points, strict=True), color=GREY, linewidth=0.9, zorder=1, solid_joinstyle="miter")
        arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 0, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
        (p, q), (r, s) = points[-2:]
        near = (r - 0.08 * (r > p), s + 0.08 * (s < q))
        axes.annotate("", (r, s), near, arrowprops=arrow, zorder=2)
    for node in graph.nodes:
        _box(axes, node, at[id(node)], scale)


def _half(node: Node) -> float:
    return 0.1 if node.token in CIRCLES else node.size[1] / 2


def _box(axes: Axes, node: Node, at: tuple[float, float], scale: float) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch

    (x, y), (across, high) = at, node.size
    look = {"facecolor": FILLED if node.own else "white", "edgecolor": BLUE if node.own else GREY, "zorder": 3}
    if node.token in CIRCLES:
        axes.add_patch(Ellipse(at, scale * 0.2, 0.2, linewidth=0.9, **look))
    elif node.token not in PLAIN:
        corner = (x - scale * across / 2, y - high / 2)
        axes.add_patch(
            FancyBboxPatch(
                corner, scale * across, high, boxstyle="round,pad=0,rounding_size=0.04", linewidth=0.9, **look
            )
        )
    axes.text(x, y, node.text, fontsize=SIZE * scale, ha="center", va="center", zorder=4, linespacing=1.15)


class Texts(dict[str, str]):
    """The texts in the boxes, by token, filled in with the options that a design is built with."""

    def __init__(self, words: Words, options: Mapping[str, Any]) -> None:
        super().__init__()
        sizes = options.get("kernel_sizes")
        sizes = sizes if isinstance(sizes, list) and sizes else ["k"]
        size = options.get("kernel_size")
        known = {
            "kernel_size": "k",
            "expansion": "t",
            "radix": "R",
            "k": words("drawings.adaptive") if size is None else f"k = {size}",
        }
        fields = known | {key: value for key, value in options.items() if value is not None}
        fields |= {"kernel_sizes_1": sizes[0], "kernel_sizes_2": sizes[-1]}
        self._words, self._fields = words, {key: plain_line(value, 12) for key, value in fields.items()}

    def __missing__(self, token: str) -> str:
        return self._words(f"drawings.{token}", **self._fields)
