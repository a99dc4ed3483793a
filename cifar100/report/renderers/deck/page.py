"""One slide: its title, text whose place is counted, a picture or a native table, its number and notes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from cifar100.report.renderers.deck.fit import GAP, INDENT, PITCH, POINTS, Line, shortened
from cifar100.report.renderers.deck.grid import PAD_X, Grid

WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.6  # inches
INK, ACCENT, MUTED, BAND, RULE, PAPER = "1B2430", "1F4E79", "5A6675", "F2F5F8", "C9D1DA", "FFFFFF"
FONTS = {"a:latin": "Arial", "a:ea": "Microsoft YaHei"}
LAYOUTS = ("Title Slide", "Title Only")
TITLE_SIZES, FOOT_SIZE, NUMBER_SIZE = (30, 28, 26, 24), 14, 12
NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # of a table: cells carry their own and look alike everywhere


@dataclass(frozen=True)
class Box:
    """A rectangle on the slide, in inches."""

    left: float
    top: float
    width: float
    height: float

    def below(self, height: float) -> Self:
        return type(self)(self.left, self.top + height, self.width, self.height - height)

    def hold(self, shape: Any) -> None:
        """Moves a shape here."""
        shape.left, shape.top, shape.width, shape.height = map(Inches, (self.left, self.top, self.width, self.height))


TITLE = Box(MARGIN, 0.35, WIDTH - 2 * MARGIN, 0.9)
BODY = Box(MARGIN, 1.45, WIDTH - 2 * MARGIN, 5.25)
FOOT = Box(MARGIN, 6.85, WIDTH - 2 * MARGIN - 1, 0.3)
NUMBER = Box(WIDTH - MARGIN - 1, 6.95, 1, 0.3)


def new_presentation() -> Any:
    """A `pptx.Presentation` of 16:9 without slides, whose theme and layouts carry fonts and places."""
    deck = Presentation()
    wider = Inches(WIDTH) / deck.slide_width
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    for layout in list(deck.slide_layouts):
        if layout.name not in LAYOUTS:
            deck.slide_layouts.remove(layout)
    for holder in (deck.slide_master, *deck.slide_layouts):  # drawn for 4:3
        for shape in holder.placeholders:
            shape.left, shape.width = int(shape.left * wider), int(shape.width * wider)
    deck.slide_master.element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}").set("algn", "l")
    theme = next(each.target_part for each in deck.slide_master.part.rels.values() if each.reltype.endswith("/theme"))
    root = etree.fromstring(theme.blob, etree.XMLParser(resolve_entities=False))
    for fonts in root.iter(qn("a:majorFont"), qn("a:minorFont")):
        for script, name in FONTS.items():
            fonts.find(qn(script)).set("typeface", name)
    theme._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return deck


class Page:
    """A slide under a title of at most two lines, cut where it is longer."""

    def __init__(self, deck: Any, title: str) -> None:
        self._slide = deck.slides.add_slide(deck.slide_layouts.get_by_name(LAYOUTS[1]))
        room = TITLE.width * POINTS
        size = next((each for each in TITLE_SIZES if shortened(title, room, each, bold=True) == title), TITLE_SIZES[-1])
        line = Line(((shortened(title, room, size, 2, bold=True), True),), strong=True)
        write(self._slide.shapes.title, TITLE, [line], size, anchor=MSO_ANCHOR.MIDDLE)

    def text(self, box: Box, lines: Sequence[Line], size: float, **look: Any) -> Any:
        shape = self._slide.shapes.add_textbox(0, 0, 0, 0)
        write(shape, box, lines, size, **look)
        return shape

    def picture(self, box: Box, png: bytes, description: str) -> None:
        """A picture as large as fits the box, in its middle from left to right and above its middle."""
        shape = self._slide.shapes.add_picture(io.BytesIO(png), 0, 0)
        scale = min(box.width / shape.width, box.height / shape.height)
        width, height = shape.width * scale, shape.height * scale
        Box(box.left + (box.width - width) / 2, box.top + (box.height - height) / 3, width, height).hold(shape)
        shape._element.nvPicPr.cNvPr.set("descr", description)

    def table(self, box: Box, grid: Grid) -> None:
        """A native table at the top of the box."""
        shape = self._slide.shapes.add_table(len(grid.rows), len(grid.widths), 0, 0, 0, 0)
        Box(box.left, box.top, sum(grid.widths), sum(grid.heights)).hold(shape)
        shape.element.find(f".//{qn('a:tableStyleId')}").text = NO_STYLE
        for column, width in zip(shape.table.columns, grid.widths, strict=True):
            column.width = Inches(width)
        for i, (row, height, texts) in enumerate(zip(shape.table.rows, grid.heights, grid.rows, strict=True)):
            row.height = Inches(height)
            for cell, text, numeric in zip(row.cells, texts, grid.numeric, strict=True):
                _ground(cell, PAPER if i % 2 else BAND if i else ACCENT)
                align = PP_ALIGN.RIGHT if numeric else PP_ALIGN.LEFT
                _paragraph(
                    cell.text_frame.paragraphs[0], Line(((text, i == 0),)), grid.size, INK if i else PAPER, align
                )

    def finish(self, number: int, foot: str, notes: Sequence[str]) -> None:
        """Number, speaker notes, and a remark in grey below everything else."""
        shape = self.text(NUMBER, [Line(((str(number), False),))], NUMBER_SIZE, colour=MUTED, align=PP_ALIGN.RIGHT)
        run = shape.text_frame.paragraphs[0].runs[0]._r
        field = etree.Element(qn("a:fld"), {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
        run.getparent().replace(run, field)  # a number that follows when slides are moved
        field.extend(list(run))
        if foot:
            line = Line(((shortened(foot, FOOT.width * POINTS, FOOT_SIZE), False),))
            self.text(FOOT, [line], FOOT_SIZE, colour=MUTED)
        if notes:
            self._slide.notes_slide.notes_text_frame.text = "\n".join(notes)


def write(
    shape: Any,
    box: Box,
    lines: Sequence[Line],
    size: float,
    *,
    anchor: Any = MSO_ANCHOR.TOP,
    colour: str = INK,
    align: Any = PP_ALIGN.LEFT,
) -> None:
    """Paragraphs into a shape that is moved to `box`."""
    box.hold(shape)
    frame = shape.text_frame
    frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, anchor
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for place, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        _paragraph(paragraph, line, size, ACCENT if line.strong else colour, align)
        paragraph.space_after = Pt(GAP * size if place < len(lines) - 1 else 0)


def _paragraph(paragraph: Any, line: Line, size: float, colour: str, align: Any) -> None:
    paragraph.alignment, paragraph.line_spacing = align, Pt(PITCH * size)
    paragraph.space_before = paragraph.space_after = Pt(0)
    properties, indent = paragraph._p.get_or_add_pPr(), int(Pt(size * INDENT)) if line.bullet else 0
    properties.set("marL", str(indent))
    properties.set("indent", str(-indent))
    etree.SubElement(properties, *((qn("a:buChar"), {"char": "•"}) if line.bullet else (qn("a:buNone"),)))
    for text, bold in line.parts:
        run = paragraph.add_run()
        run.text, run.font.size, run.font.bold = text, Pt(size), bold
        run.font.color.rgb = RGBColor.from_string(colour)


def _ground(cell: Any, colour: str) -> None:
    """Margins, colour and lower edge of a cell."""
    cell.margin_left = cell.margin_right = Pt(PAD_X)
    cell.margin_top = cell.margin_bottom = 0
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = RGBColor.from_string(colour)
    edge = etree.Element(qn("a:lnB"), {"w": "6350"})
    etree.SubElement(etree.SubElement(edge, qn("a:solidFill")), qn("a:srgbClr")).set("val", RULE)
    cell._tc.get_or_add_tcPr().insert(0, edge)  # edges stand before the fill
