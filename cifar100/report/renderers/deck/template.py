"""An empty 16:9 deck whose theme and layouts carry the fonts, colours and places of the slides."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Inches

WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.6  # inches
INK, ACCENT, MUTED, BAND, RULE, PAPER = "1B2430", "1F4E79", "5A6675", "F2F5F8", "C9D1DA", "FFFFFF"
# Okabe and Ito's colours, as in the figures.
_ACCENTS = ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9")
LATIN, EAST_ASIAN = "Arial", "Microsoft YaHei"
LAYOUTS = ("Title Slide", "Title Only")


def new_presentation() -> Any:
    """A `pptx.Presentation` without slides and with the layouts LAYOUTS."""
    deck = Presentation()
    wider = WIDTH / (deck.slide_width / 914400)
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    for layout in list(deck.slide_layouts):
        if layout.name not in LAYOUTS:
            deck.slide_layouts.remove(layout)
    for holder in (deck.slide_master, *deck.slide_layouts):  # drawn for 4:3
        for shape in list(holder.placeholders):
            if shape.element.find(f".//{qn('p:ph')}").get("type") == "dt":
                shape.element.getparent().remove(shape.element)
            else:
                shape.left, shape.width = int(shape.left * wider), int(shape.width * wider)
    style = deck.slide_master.element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    _set_theme(deck)
    package = deck.part.package
    for name, relation in list(package._rels.items()):  # a thumbnail of another slide
        if relation.reltype.endswith("/thumbnail"):
            package.drop_rel(name)
    return deck


def _set_theme(deck: Any) -> None:
    theme = next(each.target_part for each in deck.slide_master.part.rels.values() if each.reltype.endswith("/theme"))
    root = etree.fromstring(theme.blob, etree.XMLParser(resolve_entities=False))
    for fonts in root.iter(qn("a:majorFont"), qn("a:minorFont")):
        fonts.find(qn("a:latin")).set("typeface", LATIN)
        fonts.find(qn("a:ea")).set("typeface", EAST_ASIAN)
    colours = {"dk1": INK, "lt1": PAPER, "dk2": ACCENT, "lt2": BAND}
    for name, colour in (colours | {f"accent{i}": each for i, each in enumerate(_ACCENTS, 1)}).items():
        holder = root.find(f".//{qn('a:clrScheme')}/{qn(f'a:{name}')}")
        for old in list(holder):
            holder.remove(old)
        etree.SubElement(holder, qn("a:srgbClr")).set("val", colour)
    theme._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
