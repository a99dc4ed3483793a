"""Native tables, which can be edited on the slide."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.fit import Paragraph
from cifar100.report.renderers.slides.grid import LARGEST, PAD_X, PAD_Y, SMALLEST, Grid, Plan, plan_grid, rows_that_fit
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.page import Page, write_paragraph


def add_table(page: Page, box: Box, grid: Grid, largest: float = LARGEST, smallest: float = SMALLEST) -> int:
    """Draw as many rows of the grid as fit the box, from the first on; return how many."""
    plan = plan_grid(grid, box, largest, smallest)
    count = rows_that_fit(plan, box.height)
    draw_table(page, box, grid.part(0, count), Plan(plan.size, plan.widths, plan.heights[: count + 1]))
    return count


def split_grid(grid: Grid, box: Box, parts: int, smallest: float = 11.0) -> list[Grid]:
    """The grid cut into at most `parts` pieces that each fit the box; rows beyond are in none of them.

    Pieces are as equal as can be, so that no slide holds a single row that was left over.
    """
    for count in range(1, parts + 1):
        size = -(-len(grid.rows) // count)
        pieces = [grid.part(i, min(i + size, len(grid.rows))) for i in range(0, len(grid.rows), size)]
        if all(plan_grid(piece, box, LARGEST, smallest).height <= box.height for piece in pieces):
            return pieces
    pieces, start = [], 0
    while start < len(grid.rows) and len(pieces) < parts:
        rest = grid.part(start, len(grid.rows))
        count = rows_that_fit(plan_grid(rest, box), box.height)
        pieces.append(rest.part(0, count))
        start += count
    return pieces


def draw_table(page: Page, box: Box, grid: Grid, plan: Plan) -> Any:
    rows, columns = len(grid.rows) + 1, len(grid.columns)
    place = [Inches(each) for each in (box.left, box.top, sum(plan.widths), plan.height)]
    shape = page.slide.shapes.add_table(rows, columns, *place)
    table = shape.table
    _plain_style(shape)
    for i, width in enumerate(plan.widths):
        table.columns[i].width = Emu(int(width * 914400))
    for i, height in enumerate(plan.heights):
        table.rows[i].height = Emu(int(height * 914400))
    for column, text in enumerate(grid.columns):
        _write(page, table.cell(0, column), text, plan.size, grid.numeric[column], layout.PAPER, True, layout.ACCENT)
    for row, texts in enumerate(grid.rows):
        band = layout.BAND if row % 2 else layout.PAPER
        for column, text in enumerate(texts):
            colour = grid.colours.get((row, column), layout.INK)
            cell = table.cell(row + 1, column)
            _write(page, cell, text, plan.size, grid.numeric[column], colour, row in grid.strong, band)
    return shape


def _write(
    page: Page, cell: Any, text: str, size: float, numeric: bool, colour: str, bold: bool, background: str
) -> None:
    cell.margin_left = cell.margin_right = Inches(PAD_X)
    cell.margin_top = cell.margin_bottom = Inches(PAD_Y)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = RGBColor.from_string(background)
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if numeric else PP_ALIGN.LEFT
    write_paragraph(paragraph, Paragraph(text, bold=bold), size, page.language, colour)
    _bottom_line(cell)


def _bottom_line(cell: Any) -> None:
    properties = cell._tc.get_or_add_tcPr()
    line = etree.Element(qn("a:lnB"), {"w": "6350", "cap": "flat", "cmpd": "sng", "algn": "ctr"})
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr")).set("val", layout.RULE)
    properties.insert(0, line)  # lines stand before the fill


def _plain_style(shape: Any) -> None:
    """No style of the program's: cells carry their own, and look alike in every program."""
    style = shape.element.find(f".//{qn('a:tableStyleId')}")
    style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # "No Style, No Grid"
    shape.table.horz_banding = False
