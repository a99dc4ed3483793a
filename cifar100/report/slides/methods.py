"""The methods that occur in the study: what they do, their equation, their source."""

from __future__ import annotations

import io

from pptx.util import Inches

from ..works import Method, Work, load_works, methods_of
from . import layout
from .equation import equation_png, png_inches
from .fit import Paragraph
from .layout import Box
from .material import Material
from .page import Page

PER_PAGE = 4


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
    gap = 0.15
    height = min(2.3, (box.height - gap * (len(methods) - 1)) / max(len(methods), 2))
    for index, method in enumerate(methods):
        row = Box(box.left, box.top + index * (height + gap), box.width, height)
        left, right = row.columns(8, 5, gap=0.4)
        title = material.t("methods.heading", title=method.title, source=source_of(method)).strip()
        page.text(left, [Paragraph(title, bold=True, colour=layout.ACCENT), Paragraph(method.text)], 17, 10)
        _add_equations(page, right, method)


def _add_equations(page: Page, box: Box, method: Method) -> None:
    """Pictures below one another, all at one scale; the LaTeX is their alternative text."""
    drawn = [(latex, png) for latex, _ in method.equations if (png := equation_png(latex))]
    if not drawn:
        return
    sizes = [png_inches(png) for _, png in drawn]
    gap = 0.12
    wanted = max(width for width, _ in sizes) / box.width, sum(height for _, height in sizes) / (box.height - 2 * gap)
    scale = min(1.2, 1 / max(wanted))
    top = box.top + 0.1
    for (latex, png), (width, height) in zip(drawn, sizes, strict=True):
        place = (Inches(box.left), Inches(top), Inches(width * scale), Inches(height * scale))
        picture = page.slide.shapes.add_picture(io.BytesIO(png), *place)
        picture._element.nvPicPr.cNvPr.set("descr", latex)
        top += height * scale + gap


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
