"""An empty 16:9 deck whose theme, master and layouts carry the fonts, colours and places of the slides."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Inches

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.layout import Box

LATIN = "Arial"  # its widths are those that fit.py counts with
EAST_ASIAN = "Microsoft YaHei"
LANGUAGE_TAGS = {"en": "en-US", "zh": "zh-CN"}
_COLOURS = {"dk1": layout.INK, "lt1": layout.PAPER, "dk2": layout.ACCENT, "lt2": layout.BAND}
_COLOURS |= {f"accent{i}": colour for i, colour in enumerate(layout.SERIES[:6], 1)}
_OPENING_LAYOUT, _LAYOUT = "Title Slide", "Title Only"


def new_presentation() -> Any:
    """A `pptx.Presentation` without slides, of two layouts: `opening_layout` and `page_layout`."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(layout.WIDTH), Inches(layout.HEIGHT)
    for each in list(deck.slide_layouts):
        if each.name not in (_OPENING_LAYOUT, _LAYOUT):
            deck.slide_layouts.remove(each)
    _set_theme(deck)
    _drop_thumbnail(deck)
    for holder in (deck.slide_master, *deck.slide_layouts):
        _place(holder)
    _set_title_style(deck.slide_master)
    return deck


def opening_layout(deck: Any) -> Any:
    return deck.slide_layouts.get_by_name(_OPENING_LAYOUT)


def page_layout(deck: Any) -> Any:
    return deck.slide_layouts.get_by_name(_LAYOUT)


def move(shape: Any, box: Box) -> None:
    shape.left, shape.top = Inches(box.left), Inches(box.top)
    shape.width, shape.height = Inches(box.width), Inches(box.height)


def _place(holder: Any) -> None:
    """Move the template's placeholders, which stand on a 4:3 slide, to where the pages have them."""
    places = {"title": layout.TITLE_BOX, "ctrTitle": layout.OPENING_TITLE_BOX, "subTitle": layout.OPENING_TEXT_BOX}
    places |= {"body": layout.BODY_BOX, "ftr": layout.FOOTER_BOX, "sldNum": layout.NUMBER_BOX}
    for shape in list(holder.placeholders):
        kind = shape.element.find(f".//{qn('p:ph')}").get("type", "body")
        if kind in places:
            move(shape, places[kind])
        else:  # the date: a deck of results says what it was made from, not when it was opened
            shape.element.getparent().remove(shape.element)


def _drop_thumbnail(deck: Any) -> None:
    """The template's, which shows another slide."""
    package = deck.part.package
    for name, relation in list(package._rels.items()):
        if relation.reltype.endswith("/thumbnail"):
            package.drop_rel(name)


def _set_title_style(master: Any) -> None:
    style = master.element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    run = style.find(qn("a:defRPr"))
    run.set("sz", str(int(layout.TITLE * 100)))
    run.set("b", "1")


def _set_theme(deck: Any) -> None:
    """Write fonts and colours into the theme, so that what a user adds looks like the rest."""
    for part in deck.slide_master.part.rels.values():
        if part.reltype.endswith("/theme"):
            theme = part.target_part
    root = etree.fromstring(theme.blob, etree.XMLParser(resolve_entities=False))
    for fonts in root.iter(qn("a:majorFont"), qn("a:minorFont")):
        fonts.find(qn("a:latin")).set("typeface", LATIN)
        fonts.find(qn("a:ea")).set("typeface", EAST_ASIAN)
        for font in fonts.findall(qn("a:font")):
            if font.get("script") == "Hans":
                font.set("typeface", EAST_ASIAN)
    for name, colour in _COLOURS.items():
        holder = root.find(f".//{qn('a:clrScheme')}/{qn(f'a:{name}')}")
        for old in list(holder):
            holder.remove(old)
        etree.SubElement(holder, qn("a:srgbClr")).set("val", colour)
    theme._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
