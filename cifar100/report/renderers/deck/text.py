"""The text blocks of a slide as what is set on it: lines and equations that know how high they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cifar100.base.text import printable
from cifar100.report.document.document import (
    Block,
    Bullets,
    Cite,
    Code,
    Document,
    Equation,
    Notice,
    Paragraph,
    Ref,
    Strong,
    Text,
)  # fmt: skip
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works
from cifar100.report.figures import equation
from cifar100.report.renderers.deck.fit import GAP, POINTS, Line


@dataclass(frozen=True)
class Formula:
    """An equation as a picture."""

    png: bytes
    latex: str

    def extent(self, width: float, size: float) -> tuple[float, float]:
        """Inches that it takes at a width in inches beside type of `size` points."""
        wide, high = struct.unpack(">II", self.png[16:24])
        scale = min(1.2 * size / equation.POINTS, width / (wide / equation.DPI)) / equation.DPI
        return wide * scale, high * scale

    def height(self, width: float, size: float) -> float:
        return self.extent(width, size)[1] + GAP * size / POINTS


class Writer:
    """Turns blocks into items; a work is cited by name and year, since a deck has no list of works."""

    def __init__(self, document: Document, words: Words) -> None:
        self._words, self._numbers = words, document.numbers()
        self._figures = {figure.id for figure in document.figures()}

    def items(self, block: Block) -> Iterator[Line | Formula]:
        if isinstance(block, Paragraph | Notice):
            yield Line(self._parts(block.text), strong=isinstance(block, Notice))
        elif isinstance(block, Bullets):
            yield from (Line(self._parts(item), bullet=True) for item in block.items)
        elif isinstance(block, Equation):
            png = equation.equation_png(block.latex)
            yield Line(((printable(block.latex), False),)) if png is None else Formula(png, block.latex)

    def _parts(self, text: Text) -> tuple[tuple[str, bool], ...]:
        return tuple((printable(self._plain(part)), isinstance(part, Strong)) for part in text)

    def _plain(self, part: Any) -> str:
        if isinstance(part, Cite):
            work = load_works()[part.key]
            first, *others = work.authors.split(", ")
            return f"({first.split()[-1]}{' et al.' if others else ''}, {work.year})"
        if isinstance(part, Ref):
            kind = "figure" if part.id in self._figures else "table"
            return self._words(f"report.{kind}_label", number=self._numbers[part.id])
        return part.text if isinstance(part, Code | Strong) else str(part)
