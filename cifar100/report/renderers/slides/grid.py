"""How a table lies on a slide: font size, widths of columns, heights of rows, and where it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cifar100.report.renderers.slides.fit import MARGIN, PITCH, pieces, wrap
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.widths import text_width
from cifar100.report.tables.table import Table

LARGEST, SMALLEST = 14.0, 10.0  # font sizes, points
PAD_X, PAD_Y = 0.07, 0.035  # inches between a cell's text and its edges
STEP = 0.5
TEXT = 1.4  # inches that every column of text has before its lines break
UNBROKEN = 3.0  # inches up to which texts come before headings


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


def plan_grid(
    grid: Grid, box: Box, largest: float = LARGEST, smallest: float = SMALLEST, unbroken: float = TEXT
) -> Plan:
    """The largest size at which the whole grid fits the box; at the smallest it may be higher, see `rows_that_fit`.

    Lines of text break only where they are longer than `unbroken` inches, as far as that can be had by smaller type.
    """
    size = largest
    plan = _plan(grid, box.width, size)
    while size > smallest and (plan.height > box.height or sum(_least_widths(grid, size, unbroken)) > box.width):
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
    widths = _least_widths(grid, size)
    if sum(widths) >= width:
        return [each * width / sum(widths) for each in widths]
    for wanted in (_least_widths(grid, size, UNBROKEN), _natural_widths(grid, size)):
        wish = [max(0.0, w - have) for w, have in zip(wanted, widths, strict=True)]
        share = min(1.0, (width - sum(widths)) / sum(wish)) if sum(wish) > 0 else 0.0
        widths = [have + share * w for w, have in zip(wish, widths, strict=True)]
    spare = (width - sum(widths)) / len(widths)
    return [each + spare for each in widths]


def _natural_widths(grid: Grid, size: float) -> list[float]:
    return [max(_inches(text, size) for text in (name, *cells)) for name, cells in _columns(grid)]


def _least_widths(grid: Grid, size: float, text: float = TEXT) -> list[float]:
    """What columns need: whole numbers, the longest word of the heading, and of a text at most `text` inches."""
    widths = []
    for (name, cells), numeric in zip(_columns(grid), grid.numeric, strict=True):
        whole = max((_inches(text, size) for text in cells), default=0.0)
        widths.append(max(_longest_word(name, size), whole if numeric else min(whole, text)))
    return widths


def _columns(grid: Grid) -> list[tuple[str, list[str]]]:
    return [(name, [row[i] for row in grid.rows]) for i, name in enumerate(grid.columns)]


def _inches(text: str, size: float) -> float:
    return text_width(text, size, bold=True) * MARGIN / POINTS + 2 * PAD_X + 0.01


def _longest_word(text: str, size: float) -> float:
    """What a heading needs: its longest word, or four characters where there are no words."""
    return max(_inches(piece.strip(), size) for piece in (*pieces(text), text[:4]))
