"""The methods that occur in the study: what they do, their equation, their source."""

from __future__ import annotations

import io

from pptx.util import Inches

from ..works import Method, Work, load_works, methods_of
from . import layout
from .equation import equation_png, png_inches
from .fit import Paragraph, text_height
from .layout import POINTS, Box
from .material import Material
from .page import Page

PER_PAGE = 4
LARGEST, SMALLEST = 17.0, 10.0  # font sizes, points
GAP = 0.16  # inches between two methods
EQUATION = 0.4  # inches that an equation takes at least
SYMBOL_SIZE = 11.0  # of the meaning of its symbols, points


def methods_in(material: Material) -> list[Method]:
    """Of the study and of its ablations."""
    studies = (material.study, *material.ablations)
    return methods_of((row.runs[0].network for study in studies for row in study.rows), material.words.language)


def add_methods(material: Material, pages: int) -> None:
    """On `pages` slides; methods that have no room are named, and left to the report."""
    t, methods = material.t, methods_in(material)
    shown, others = methods[: pages * PER_PAGE], methods[pages * PER_PAGE :]
    if not shown:
        page = material.page(t("methods.title"))
        page.text(layout.BODY_BOX, [t("methods.none")])
    per_page = -(-len(shown) // pages) if shown else 1
    for number, start in enumerate(range(0, len(shown), per_page), 1):
        last = start + per_page >= len(shown)
        title = t("methods.title") if len(shown) <= per_page else t("part", title=t("methods.title"), number=number)
        page = material.page(title, t("methods.message"))
        box = layout.BODY_BOX
        if last and others:
            box, foot = box.split(-0.45)
            page.note_line(foot, t("methods.others", names=_joined(material, [each.title for each in others])))
        _fill(page, box, shown[start : start + per_page], material)


def _fill(page: Page, box: Box, methods: list[Method], material: Material) -> None:
    """One below the other, all in type of one size, each as high as its text and its equations need."""
    texts = [_text(method, material) for method in methods]
    room = box.height - GAP * (len(methods) - 1)
    size = LARGEST
    while size > SMALLEST and sum(_heights(box, methods, texts, size)) > room:
        size -= 0.5
    heights = _heights(box, methods, texts, size)
    shrink = min(1.0, room / sum(heights))
    top = box.top
    for method, text, height in zip(methods, texts, heights, strict=True):
        left, right = _columns(Box(box.left, top, box.width, height * shrink))
        page.text(left, text, size, 9)
        _add_equations(page, right, method)
        top += height * shrink + GAP


def _text(method: Method, material: Material) -> list[Paragraph]:
    title = material.t("methods.heading", title=method.title, source=source_of(method)).strip()
    return [Paragraph(title, bold=True, colour=layout.ACCENT), Paragraph(method.text)]


def _columns(row: Box) -> list[Box]:
    return row.columns(8, 5, gap=0.4)


def _heights(box: Box, methods: list[Method], texts: list[list[Paragraph]], size: float) -> list[float]:
    left, right = (column.width * POINTS for column in _columns(box))
    symbols = [text_height(_symbols(method), right, SYMBOL_SIZE) / POINTS for method in methods]
    least = [EQUATION * len(method.equations) + below + 0.1 for method, below in zip(methods, symbols, strict=True)]
    return [max(text_height(text, left, size) / POINTS, low) for text, low in zip(texts, least, strict=True)]


def _add_equations(page: Page, box: Box, method: Method) -> None:
    """Pictures below one another, all at one scale, and what their symbols mean; the LaTeX is the alternative text."""
    drawn = [(latex, png) for latex, _ in method.equations if (png := equation_png(latex))]
    if not drawn:
        return
    sizes = [png_inches(png) for _, png in drawn]
    gap = 0.1
    where = _symbols(method)
    below = text_height(where, box.width * POINTS, SYMBOL_SIZE) / POINTS
    room = max(0.5 * box.height, box.height - below - 2 * gap) - gap * len(drawn)
    wanted = max(width for width, _ in sizes) / box.width, sum(height for _, height in sizes) / room
    scale = min(1.2, 1 / max(wanted))
    top = box.top + gap
    for (latex, png), (width, height) in zip(drawn, sizes, strict=True):
        place = (Inches(box.left), Inches(top), Inches(width * scale), Inches(height * scale))
        picture = page.slide.shapes.add_picture(io.BytesIO(png), *place)
        picture._element.nvPicPr.cNvPr.set("descr", latex)
        top += height * scale + gap
    page.text(Box(box.left, top, box.width, box.bottom - top), where, SYMBOL_SIZE, 9, layout.MUTED)


def _symbols(method: Method) -> list[Paragraph]:
    return [Paragraph(text) for text in dict.fromkeys(text for _, text in method.equations)]


def source_of(method: Method) -> str:
    """`Wang et al. 2019`; nothing for what is this study's own."""
    works = load_works()
    return "; ".join(short_source(works[key]) for key in method.references[:2])


def short_source(work: Work) -> str:
    first, *others = work.authors.split(", ")
    family = first.split()[-1]
    return f"{family}{' et al.' if others else ''} {work.year}"


def _joined(material: Material, names: list[str]) -> str:
    return ("、" if material.words.language == "zh" else ", ").join(names)
