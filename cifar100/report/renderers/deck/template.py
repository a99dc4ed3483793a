"""An empty 16:9 deck whose theme and layouts carry the fonts and places of the slides."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Inches

WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.6  # inches
INK, ACCENT, MUTED, BAND, RULE, PAPER = "1B2430", "1F4E79", "5A6675", "F2F5F8", "C9D1DA", "FFFFFF"
FONTS = {"a:latin": "Arial", "a:ea": "Microsoft YaHei"}
LAYOUTS = ("Title Slide", "Title Only")


def new_presentation() -> Any:
    """A `pptx.Presentation` without slides and with the layouts LAYOUTS."""
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
