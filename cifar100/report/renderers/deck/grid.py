"""A table as it stands on a slide: size of type, widths of columns, heights of rows."""

from dataclasses import dataclass

from cifar100.base.text import printable
from cifar100.report.renderers.deck.fit import PITCH, POINTS, count_lines, longest_word, shortened, text_width
from cifar100.report.tables.table import Table

SIZES = (18, 17, 16, 15, 14, 13, 12)
PAD_X, PAD_Y = 6.0, 3.0  # points beside and above a cell's text
MOST_LINES = 3  # of a cell
SHORT = 12  # ems; a column of shorter texts is not narrowed


@dataclass(frozen=True)
class Grid:
    """Texts of the heading and of the rows that fit; widths and heights in inches, size in points."""

    size: float
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def grid_of(table: Table, width: float, height: float) -> Grid:
    """The table within a box of inches: in the largest size that shows all of its rows, else as many rows as there is
    room for in the smallest."""
    rows = [table.columns, *([cell.text for cell in row] for row in table.rows)]
    texts = [[printable(text) for text in row] for row in rows]
    for size in SIZES:
        widths = _widths(texts, table.numeric, size, width * POINTS)
        if size == SIZES[-1]:
            widths = _capped(widths, width * POINTS)
        room = [each - 2 * PAD_X for each in widths]
        cut = [[shortened(text, w, size, MOST_LINES) for text, w in zip(row, room, strict=True)] for row in texts]
        heights = [_height(row, room, size, bold=place == 0) for place, row in enumerate(cut)]
        if sum(heights) <= height * POINTS and sum(widths) <= width * POINTS + 0.1:
            break
    count = next((n for n in range(len(heights), 1, -1) if sum(heights[:n]) <= height * POINTS), 1)
    wider = min(1.5, width * POINTS / sum(widths))
    head, *body = heights[:count]
    taller = min(1.7, (height * POINTS - head) / max(sum(body), 1))
    columns = tuple(each * wider / POINTS for each in widths)
    lines = (head / POINTS, *(each * max(taller, 1) / POINTS for each in body))
    return Grid(size, columns, lines, tuple(map(tuple, cut[:count])), table.numeric)


def _widths(texts: list[list[str]], numeric: tuple[bool, ...], size: float, width: float) -> list[float]:
    """Points for each column: as wide as its longest text where there is room for that, else narrower, but never than
    its numbers, its short texts and its longest word. Wider in all than `width` where there is no room for those."""
    whole, least = [], []
    for column, number in zip(zip(*texts, strict=True), numeric, strict=True):
        head, *body = column
        body_width = max((text_width(text, size) for text in body), default=0)
        whole_body = number or body_width <= SHORT * size
        words = body_width if whole_body else max((longest_word(text, size) for text in body), default=0)
        whole.append(2 * PAD_X + max(text_width(head, size, bold=True), body_width))
        least.append(2 * PAD_X + max(longest_word(head, size, bold=True), words))
    if sum(whole) <= width:
        return whole
    share = max(0.0, (width - sum(least)) / (sum(whole) - sum(least))) if sum(whole) > sum(least) else 0.0
    return [low + share * (high - low) for low, high in zip(least, whole, strict=True)]


def _capped(widths: list[float], width: float) -> list[float]:
    """Widths of which the widest are cut to one length, so that all are `width` at most."""
    rest = width
    for place, each in enumerate(sorted(widths)):
        if each > (cap := rest / (len(widths) - place)):
            return [min(each, cap) for each in widths]
        rest -= each
    return widths


def _height(row: list[str], room: list[float], size: float, bold: bool) -> float:
    lines = max(count_lines(text, width, size, bold) for text, width in zip(row, room, strict=True))
    return lines * PITCH * size + 2 * PAD_Y
