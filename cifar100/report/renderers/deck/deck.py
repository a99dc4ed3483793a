"""A document's slides as a .pptx file."""

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pptx.enum.text import MSO_ANCHOR

from cifar100.base.text import printable
from cifar100.report.document.document import PARTS, Document, FigureBlock, Slide, TableBlock
from cifar100.report.document.words import Words
from cifar100.report.renderers.deck.fit import POINTS, Line, shortened
from cifar100.report.renderers.deck.grid import grid_of
from cifar100.report.renderers.deck.page import BODY, LAYOUTS, MARGIN, WIDTH, Box, Page, new_presentation, write
from cifar100.report.renderers.deck.text import Formula, Writer

MOST = 20  # slides
SIZES = (24, 22, 20, 18)  # points of text, the smallest beside figures and tables
BESIDE, SPACE = 4.0, 0.25  # inches of a column of text beside a figure, and between the two
GIVE_WAY = ("ablations", "designs", "classes", *PARTS)  # parts that lose slides where there are too many
Items = Sequence[Line | Formula]


@dataclass(frozen=True)
class Sheet:
    """One page of the deck: text, and a figure or a table."""

    slide: Slide
    items: Items
    main: FigureBlock | TableBlock | None = None
    size: float = SIZES[-1]
    foot: str = ""
    notes: Sequence[str] = ()


def pptx_document(document: Document, words: Words) -> bytes:
    """The deck: a slide of the title, then those of the document's sections, at most MOST of them.

    Equal documents give equal bytes.
    """
    deck, writer = new_presentation(), Writer(document, words)
    _title(deck, document)
    sheets = [sheet for slide in document.slides() for sheet in _sheets(slide, writer)]
    for number, sheet in enumerate(_at_most(sheets, MOST - 1, words), 2):
        page = Page(deck, printable(sheet.slide.title))
        page.finish(number, _fill(page, sheet, words), [printable(line) for line in sheet.notes])
    return _file(deck, document)


def _title(deck: Any, document: Document) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts.get_by_name(LAYOUTS[0]))
    title, byline = (Box(MARGIN, top, WIDTH - 2 * MARGIN, height) for top, height in ((1.6, 2.0), (3.9, 2.6)))
    text = shortened(printable(document.title), title.width * POINTS, 36, 3, bold=True)
    write(slide.placeholders[0], title, [Line(((text, True),), strong=True)], 36, anchor=MSO_ANCHOR.BOTTOM)
    lines = [shortened(printable(line), byline.width * POINTS, 20, 2) for line in document.byline[:5]]
    write(slide.placeholders[1], byline, [Line(((line, False),)) for line in lines], 20)


def _sheets(slide: Slide, writer: Writer) -> list[Sheet]:
    """The slide, or several where its text takes more than one."""
    main = next((block for block in slide.blocks if isinstance(block, FigureBlock | TableBlock)), None)
    items = [item for block in slide.blocks for item in writer.items(block)]
    if main is None:
        return _text_sheets(slide, items)
    notes = (main.caption,) if isinstance(main, FigureBlock) else main.table.notes
    if _height(items, BODY.width, SIZES[-1]) <= 0.4 * BODY.height:
        return [Sheet(slide, items, main, notes=notes)]
    return [*_text_sheets(slide, items), Sheet(slide, (), main, notes=notes)]


def _text_sheets(slide: Slide, items: Items) -> list[Sheet]:
    for size in SIZES:
        if _height(items, BODY.width, size) <= BODY.height:
            return [Sheet(slide, items, size=size)]
    limit, smallest = BODY.height, SIZES[-1]
    notes = [item.text for item in items if isinstance(item, Line) and item.height(BODY.width, smallest) > limit]
    kept = [item.cut(BODY.width, limit, smallest) if isinstance(item, Line) else item for item in items]
    fewest = len(_pages(kept, limit))
    shares = (_pages(kept, limit * part / 10) for part in range(4, 11))  # evenly filled rather than one full, one empty
    return [Sheet(slide, page, notes=notes) for page in next(pages for pages in shares if len(pages) == fewest)]


def _pages(items: Items, limit: float) -> list[list[Line | Formula]]:
    """The items on as many pages as they need, each at most `limit` inches high where it has more than one."""
    pages: list[list[Line | Formula]] = [[]]
    for item in items:
        if pages[-1] and _height([*pages[-1], item], BODY.width, SIZES[-1]) > limit:
            pages.append([])
        pages[-1].append(item)
    return pages


def _height(items: Items, width: float, size: float) -> float:
    return sum(item.height(width, size) for item in items)


def _at_most(sheets: list[Sheet], most: int, words: Words) -> list[Sheet]:
    """The last slides of parts that give way are left out, and counted on the one before, until there is room."""
    kept = list(sheets)
    for part in GIVE_WAY:
        places = [place for place, sheet in enumerate(kept) if sheet.slide.part == part]
        leave = max(0, min(len(kept) - most, len(places) - 1))
        if leave:
            last = places[-leave - 1]
            kept[last] = replace(kept[last], foot=words("deck.left_out", n=leave))
            kept = [sheet for place, sheet in enumerate(kept) if place not in places[-leave:]]
    return kept


def _fill(page: Page, sheet: Sheet, words: Words) -> str:
    """Sets everything but the title and returns a remark to stand below it."""
    main, column = sheet.main, BODY
    rest = BODY.below(_height(sheet.items, BODY.width, sheet.size))
    if isinstance(main, FigureBlock):
        wide, high = struct.unpack(">II", main.png[16:24])
        left = Box(BODY.left, BODY.top, BODY.width - BESIDE - SPACE, BODY.height)
        fits = sheet.items and _height(sheet.items, BESIDE, sheet.size) <= BODY.height
        if fits and min(left.width / wide, left.height / high) > min(rest.width / wide, rest.height / high):
            rest, column = left, Box(BODY.left + BODY.width - BESIDE, BODY.top, BESIDE, BODY.height)
    _stack(page, column, sheet)
    if isinstance(main, FigureBlock):
        page.picture(rest, main.png, printable(main.caption))
    elif main is not None:
        grid, rows = grid_of(main.table, rest.width, rest.height), len(main.table.rows)
        page.table(rest, grid)
        if len(grid.rows) - 1 < rows:
            return sheet.foot or words("deck.rows", shown=len(grid.rows) - 1, n=rows)
    return sheet.foot


def _stack(page: Page, box: Box, sheet: Sheet) -> None:
    """Text and equations from the top of a box downwards; neighbouring paragraphs share a text box."""
    lines: list[Line] = []
    for item in (*sheet.items, None):
        if isinstance(item, Line):
            lines.append(item)
            continue
        if lines:
            height = _height(lines, box.width, sheet.size)
            page.text(Box(box.left, box.top, box.width, height), lines, sheet.size)
            box, lines = box.below(height), []
        if item is not None:
            width, height = item.extent(box.width, sheet.size)
            page.picture(Box(box.left, box.top, width, height), item.png, item.latex)
            box = box.below(item.height(box.width, sheet.size))


def _file(deck: Any, document: Document) -> bytes:
    """The .pptx file, whose entries do not say when they were made."""
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = printable(document.title)[:255], "", ""
    about.language = document.language
    about.subject = about.keywords = about.comments = about.category = ""
    for date in [each for each in about._element if each.tag.endswith(("}created", "}modified"))]:
        about._element.remove(date)
    saved, fixed = io.BytesIO(), io.BytesIO()
    deck.save(saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            new.writestr(entry, old.read(name))
    return fixed.getvalue()
