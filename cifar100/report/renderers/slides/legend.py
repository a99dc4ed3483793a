"""A legend as text, for several charts at once: native legends take room from each chart and cannot be shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cifar100.report.renderers.slides.chart_style import SIZE
from cifar100.report.renderers.slides.fit import Paragraph
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.page import Page


@dataclass(frozen=True)
class Entry:
    sign: str
    colour: str
    label: str


def add_legend(page: Page, box: Box, entries: Sequence[Entry]) -> None:
    """One line for each entry, or more where its label is long; the sign alone is coloured."""
    lines = [Paragraph(each.label, sign=each.sign, colour=each.colour, gap=0.4) for each in entries]
    page.text(box, lines, SIZE + 1, 8)
