"""The text blocks of a slide as they are set on it: lines and equations that know how high they are."""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cifar100.base.text import printable
from cifar100.report.document import document as tree
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works
from cifar100.report.renderers.deck.fit import GAP, POINTS, Line

EQUATION_SIZE, DPI = 16, 300  # points of type and dots per inch at which an equation is drawn


@dataclass(frozen=True)
class Formula:
    """An equation as a picture."""

    png: bytes
    latex: str

    def extent(self, width: float, size: float) -> tuple[float, float]:
        """Inches that it takes at a width in inches beside type of `size` points."""
        wide, high = struct.unpack(">II", self.png[16:24])
        scale = min(1.2 * size / EQUATION_SIZE, width / (wide / DPI)) / DPI
        return wide * scale, high * scale

    def height(self, width: float, size: float) -> float:
        return self.extent(width, size)[1] + GAP * size / POINTS


class Writer:
    """Turns blocks into items; a work is cited by name and year, since a deck has no list of works."""

    def __init__(self, document: tree.Document, words: Words) -> None:
        self._labels = document.labels(words)

    def items(self, block: tree.Block) -> Iterator[Line | Formula]:
        if isinstance(block, tree.Equation):
            png = equation_png(block.latex)
            yield Line(((printable(block.latex), False),)) if png is None else Formula(png, block.latex)
        look = {"bullet": isinstance(block, tree.Bullets), "strong": isinstance(block, tree.Notice)}
        yield from (Line(self._parts(text), **look) for text in tree.texts_of(block))

    def _parts(self, text: tree.Text) -> tuple[tuple[str, bool], ...]:
        return tuple((printable(self._plain(part)), isinstance(part, tree.Strong)) for part in text)

    def _plain(self, part: Any) -> str:
        match part:
            case tree.Cite(key):
                work = load_works()[key]
                first, *others = work.authors.split(", ")
                return f"({first.split()[-1]}{' et al.' if others else ''}, {work.year})"
            case tree.Ref(id):
                return self._labels[id]
            case tree.Code(text) | tree.Strong(text):
                return text
        return str(part)


@lru_cache
def equation_png(latex: str) -> bytes | None:
    """The equation in dark type on a transparent ground, None where matplotlib's mathtext cannot set it."""
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    figure = Figure(figsize=(0.1, 0.1), facecolor="none")
    # A word that mathtext lacks, in one that it has.
    known = re.sub(r"\\text\{([^}]*)\}", lambda match: rf"\mathrm{{{match[1]}}}".replace(" ", r"\ "), latex)
    font = FontProperties(size=EQUATION_SIZE, math_fontfamily="stix")
    figure.text(0, 0, f"${known}$", fontproperties=font, parse_math=True)
    picture = io.BytesIO()
    try:
        figure.savefig(picture, dpi=DPI, bbox_inches="tight", pad_inches=0.02, metadata={"Software": None})
    except ValueError:
        return None
    return picture.getvalue()
