"""How a table lies on a slide: font size, widths of columns, heights of rows, and where it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..table import Table
from .fit import MARGIN, PITCH, wrap
from .layout import POINTS, Box
from .widths import text_width

LARGEST, SMALLEST = 14.0, 9.0  # font sizes, points
PAD_X, PAD_Y = 0.07, 0.035  # inches between a cell's text and its edges
STEP = 0.5
TEXT = 1.4  # inches that a column of text has before its lines break


@dataclass(frozen=True)
class Grid:
    """A table of texts. `colours` holds the font colour of single cells by (row, column), `strong` the bold rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    colours: dict[tuple[int, int], str] = field(default_factory=dict)
    strong: frozenset[int] = frozenset()

    def part(self, start: int, stop: int) -> Grid:
        """Rows `start` up to `stop`, not included, under the same headings."""
        colours = {(row - start, column): c for (row, column), c in self.colours.items() if start <= row < stop}
        strong = frozenset(row - start for row in self.strong if start <= row < stop)
        return Grid(self.columns, self.rows[start:stop], self.numeric, colours, strong)


@dataclass(frozen=True)
class Plan:
    """Font size in points; widths and heights in inches, the head's height first."""

    size: float
    widths: tuple[float, ...]
    heights: tuple[float, ...]

    @property
    def height(self) -> float:
        return sum(self.heights)


def grid_of(table: Table, columns: Sequence[int] | None = None, strong: frozenset[int] = frozenset()) -> Grid:
    """The texts of a report's table, all columns or some of them."""
    chosen = range(len(table.columns)) if columns is None else columns
    rows = tuple(tuple(row[i].text for i in chosen) for row in table.rows)
    numeric = tuple(table.numeric[i] for i in chosen)
    return Grid(tuple(table.columns[i] for i in chosen), rows, numeric, strong=strong)


def plan_grid(grid: Grid, box: Box, largest: float = LARGEST, smallest: float = SMALLEST) -> Plan:
    """The largest size at which the whole grid fits the box; at the smallest it may be higher, see `rows_that_fit`."""
    size = largest
    plan = _plan(grid, box.width, size)
    while size > smallest and (plan.height > box.height or sum(_least_widths(grid, size)) > box.width):
        size -= STEP
        plan = _plan(grid, box.width, size)
    return plan


def rows_that_fit(plan: Plan, height: float, start: int = 0) -> int:
    """How many rows from `start` on, below the head, fit into `height` inches; at least one."""
    room, count = height - plan.heights[0], 0
    for row in plan.heights[1 + start :]:
        if room < row - 1e-9:
            break
        room -= row
        count += 1
    return max(count, 1)


def _plan(grid: Grid, width: float, size: float) -> Plan:
    widths = _column_widths(grid, width, size)
    heights = [_height(grid.columns, widths, size, bold=True)]
    heights += [_height(row, widths, size, bold=i in grid.strong) for i, row in enumerate(grid.rows)]
    return Plan(size, tuple(widths), tuple(heights))


def _height(cells: Sequence[str], widths: Sequence[float], size: float, bold: bool) -> float:
    most = max(
        len(wrap(text, (width - 2 * PAD_X) * POINTS, size, bold)) for text, width in zip(cells, widths, strict=True)
    )
    return most * size * PITCH / POINTS + 2 * PAD_Y


def _column_widths(grid: Grid, width: float, size: float) -> list[float]:
    """Columns as wide as their longest text; where there is no room for that, text breaks and numbers do not."""
    natural = _natural_widths(grid, size)
    if sum(natural) <= width:
        spare = (width - sum(natural)) / len(natural)
        return [each + spare for each in natural]
    least = _least_widths(grid, size)
    if sum(least) >= width:
        return [each * width / sum(least) for each in least]
    wish = [max(0.0, n - m) for n, m in zip(natural, least, strict=True)]
    spare = width - sum(least)
    return [m + spare * w / sum(wish) for m, w in zip(least, wish, strict=True)]


def _natural_widths(grid: Grid, size: float) -> list[float]:
    return [max(_inches(text, size) for text in (name, *cells)) for name, cells in _columns(grid)]


def _least_widths(grid: Grid, size: float) -> list[float]:
    """What columns need: whole numbers, the longest word of the heading, and something of a text."""
    widths = []
    for (name, cells), numeric in zip(_columns(grid), grid.numeric, strict=True):
        whole = max((_inches(text, size) for text in cells), default=0.0)
        widths.append(max(_longest_word(name, size), whole if numeric else min(whole, TEXT)))
    return widths


def _columns(grid: Grid) -> list[tuple[str, list[str]]]:
    return [(name, [row[i] for row in grid.rows]) for i, name in enumerate(grid.columns)]


def _inches(text: str, size: float) -> float:
    return text_width(text, size, bold=True) * MARGIN / POINTS + 2 * PAD_X + 0.01


def _longest_word(text: str, size: float) -> float:
    return max(_inches(word, size) for word in (text.split() or [""]))
