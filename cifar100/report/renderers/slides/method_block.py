"""One method on a slide: title and text on the left, equations and the meaning of their symbols on the right."""

from __future__ import annotations

import io

from pptx.util import Inches

from cifar100.report.document.works import Method, Work, load_works
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.equation import POINTS as DRAWN_SIZE
from cifar100.report.renderers.slides.equation import equation_png, png_inches
from cifar100.report.renderers.slides.fit import Paragraph, text_height
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.page import Page

GAP = 0.08  # inches above each equation
SMALLEST_SYMBOLS = 9.0  # font size, points


class MethodBlock:
    """`height` says how high it is in type of a given size, `draw` puts it on a page."""

    def __init__(self, method: Method, title: str) -> None:
        self.text = [Paragraph(title, bold=True, colour=layout.ACCENT), Paragraph(method.text)]
        self.symbols = [Paragraph(text) for text in dict.fromkeys(text for _, text in method.equations)]
        drawn = [(latex, equation_png(latex)) for latex, _ in method.equations]
        self.equations = [(latex, png, png_inches(png)) for latex, png in drawn if png]

    def height(self, width: float, size: float) -> float:
        """Inches, in a box `width` inches wide with type of `size` points."""
        left, right = _columns(Box(0, 0, width, 1))
        scale, small = self._scale(right.width, size), _symbol_size(size)
        equations = sum(scale * height + GAP for _, _, (_, height) in self.equations)
        below = text_height(self.symbols, right.width * POINTS, small) / POINTS + GAP
        return max(text_height(self.text, left.width * POINTS, size) / POINTS, equations + below)

    def draw(self, page: Page, box: Box, size: float) -> None:
        left, right = _columns(box)
        page.text(left, self.text, size, 8)
        if not self.equations:
            return
        scale, top = self._scale(right.width, size), box.top
        for latex, png, (width, height) in self.equations:
            place = (right.left, top + GAP, scale * width, scale * height)
            picture = page.slide.shapes.add_picture(io.BytesIO(png), *map(Inches, place))
            picture._element.nvPicPr.cNvPr.set("descr", latex)  # for who cannot see it
            top += GAP + scale * height
        room = Box(right.left, top + GAP, right.width, box.bottom - top - GAP)
        page.text(room, self.symbols, _symbol_size(size), 7, layout.MUTED)

    def _scale(self, width: float, size: float) -> float:
        """One for all equations: as large as the text, or as the column is wide."""
        widest = max((width for _, _, (width, _) in self.equations), default=1.0)
        return min(1.15 * size / DRAWN_SIZE, width / widest)


def source_of(method: Method) -> str:
    """`Wang et al. 2019`; nothing for what is this study's own."""
    works = load_works()
    return "; ".join(_short_source(works[key]) for key in method.references[:2])


def _short_source(work: Work) -> str:
    first, *others = work.authors.split(", ")
    return f"{first.split()[-1]}{' et al.' if others else ''} {work.year}"


def _columns(row: Box) -> list[Box]:
    return row.columns(8, 5, gap=0.4)


def _symbol_size(size: float) -> float:
    return max(SMALLEST_SYMBOLS, size - 3)
