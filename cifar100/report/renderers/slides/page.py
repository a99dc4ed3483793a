"""One slide: title, message, text boxes whose text fits, footer and speaker notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.fit import PITCH, Paragraph, cut_to_fit, fit_size, text_height
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.master import LANGUAGE_TAGS, move, page_layout


class Page:
    """A slide under the title `title` and, below it, a sentence `message` that says what to take along."""

    def __init__(self, deck: Any, language: str, title: str, message: str = "", slide_layout: Any = None) -> None:
        self.slide = deck.slides.add_slide(slide_layout or page_layout(deck))
        self.language = language
        self.title = title
        self._notes: list[str] = []
        if slide_layout is None:
            self.fill(self.slide.shapes.title, layout.TITLE_BOX, [Paragraph(title, bold=True)], layout.TITLE, 20)
            self.rule(Box(layout.MARGIN, 1.08, layout.WIDTH - 2 * layout.MARGIN, 0.02), layout.ACCENT)
        if message:
            self.text(layout.MESSAGE_BOX, [Paragraph(message)], 16, 11, colour=layout.INK)

    def text(
        self,
        box: Box,
        paragraphs: Sequence[Paragraph | str],
        largest: float = layout.BODY,
        smallest: float = layout.SMALLEST,
        colour: str = layout.INK,
    ) -> float:
        """Add a text box in the largest size that fits and return the inches it takes; see `fill`."""
        shape = self.slide.shapes.add_textbox(0, 0, 0, 0)
        return self.fill(shape, box, paragraphs, largest, smallest, colour)

    def note_line(self, box: Box, text: str) -> None:
        """A line in small grey type, such as a table's note; nothing for an empty text."""
        if not text:
            return
        self.text(box, [Paragraph(text)], layout.NOTE, 9, layout.MUTED)

    def fill(
        self,
        shape: Any,
        box: Box,
        paragraphs: Sequence[Paragraph | str],
        largest: float,
        smallest: float,
        colour: str = layout.ACCENT,
        align: PP_ALIGN = PP_ALIGN.LEFT,
    ) -> float:
        """Write paragraphs into a shape at `box`; what is too long at the smallest size is cut; the notes have it."""
        wanted = [Paragraph(each) if isinstance(each, str) else each for each in paragraphs]
        width, height = box.width * POINTS, box.height * POINTS
        size = fit_size(wanted, width, height, largest, smallest)
        shown = cut_to_fit(wanted, width, height, size)
        if shown != wanted:
            self._notes += [paragraph.text for paragraph in wanted]
        move(shape, box)
        frame = shape.text_frame
        frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, MSO_ANCHOR.TOP
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        for index, paragraph in enumerate(shown):
            written = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
            written.alignment = align
            write_paragraph(written, paragraph, size, self.language, colour, first=index == 0)
        return text_height(shown, width, size) / POINTS

    def rule(self, box: Box, colour: str) -> None:
        shape = self.slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *(Inches(x) for x in (box.left, box.top)), 0, 0)
        move(shape, box)
        shape.fill.solid()
        shape.fill.fore_color.rgb = RGBColor.from_string(colour)
        shape.line.fill.background()
        shape._element.remove(shape._element.find(qn("p:style")))  # the theme's shadow, too

    def add_notes(self, *lines: str) -> None:
        """Speaker notes: where the slide's numbers come from."""
        self._notes += [line for line in lines if line]

    def finish(self, study: str, number: int) -> None:
        """Write footer, page number and notes, once all else stands."""
        footer = self.slide.shapes.add_textbox(0, 0, 0, 0)
        self.fill(footer, layout.FOOTER_BOX, [Paragraph(study)], layout.FOOTER, 8, layout.MUTED)
        footer.name = "Footer"
        place = self.slide.shapes.add_textbox(0, 0, 0, 0)
        text = [Paragraph(str(number))]
        self.fill(place, layout.NUMBER_BOX, text, layout.FOOTER, 8, layout.MUTED, PP_ALIGN.RIGHT)
        place.name = "Slide number"
        _make_number_field(place.text_frame.paragraphs[0])
        if self._notes:
            self.slide.notes_slide.notes_text_frame.text = "\n".join(self._notes)


def write_paragraph(
    written: Any, paragraph: Paragraph, size: float, language: str, colour: str, first: bool = True
) -> None:
    written.line_spacing = Pt(size * PITCH)
    written.space_after = Pt(0)
    written.space_before = Pt(0 if first else paragraph.gap * size)
    properties = written._p.get_or_add_pPr()
    for kind in ("a:buClr", "a:buNone", "a:buChar"):
        for old in properties.findall(qn(kind)):
            properties.remove(old)
    indent = int(Pt(size * paragraph.indent))
    properties.set("marL", str(indent))
    properties.set("indent", str(-indent))
    sign = paragraph.sign or ("•" if paragraph.bullet else "")
    if paragraph.sign:
        holder = etree.SubElement(properties, qn("a:buClr"))
        etree.SubElement(holder, qn("a:srgbClr")).set("val", paragraph.colour or colour)
    if sign:
        etree.SubElement(properties, qn("a:buChar")).set("char", sign)
    else:
        etree.SubElement(properties, qn("a:buNone"))
    run = written.add_run()
    run.text = paragraph.text
    style_run(run, size, language, colour if paragraph.sign else paragraph.colour or colour, paragraph.bold)


def style_run(run: Any, size: float, language: str, colour: str, bold: bool = False) -> None:
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = RGBColor.from_string(colour)
    properties = run._r.get_or_add_rPr()
    properties.set("lang", LANGUAGE_TAGS[language])
    properties.set("altLang", "en-US")


def _make_number_field(paragraph: Any) -> None:
    """Turn the slide's number into a field, which follows when slides are moved."""
    run = paragraph.runs[0]._r
    field = etree.Element(qn("a:fld"), {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
    field.append(run.find(qn("a:rPr")))
    field.append(run.find(qn("a:t")))
    run.getparent().replace(run, field)
