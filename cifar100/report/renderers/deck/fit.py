"""How much room text takes on a slide, counted so that it fits whichever font a program sets it in.

Widths are those of DejaVu Sans, wider than Arial, Calibri, Liberation Sans and Microsoft YaHei, one of which a reader
most often sees; Chinese characters are as wide as they are high in every font. Lines have a fixed pitch.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from unicodedata import east_asian_width

POINTS = 72  # per inch
PITCH = 1.25  # points from line to line, for each point of type
GAP = 0.45  # between paragraphs, of the size
INDENT = 0.9  # of bullets, of the size
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_TOKENS = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")


@dataclass(frozen=True)
class Line:
    """A paragraph on a slide: its parts in order, each with whether it is bold."""

    parts: tuple[tuple[str, bool], ...]
    bullet: bool = False
    strong: bool = False  # set in the accent's colour

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)

    @property
    def bold(self) -> bool:
        return any(bold for _, bold in self.parts)

    def height(self, width: float, size: float) -> float:
        """Inches that the paragraph takes at a width in inches, the gap below it included."""
        room = width * POINTS - (INDENT * size if self.bullet else 0)
        return (count_lines(self.text, room, size, self.bold) * PITCH + GAP) * size / POINTS

    def cut(self, width: float, height: float, size: float) -> Self:
        """The paragraph, or the beginning that fits, with an ellipsis."""
        if self.height(width, size) <= height:
            return self
        lines = int(height * POINTS / size / PITCH) - 1
        text = shortened(self.text, (width * POINTS - INDENT * size), size, lines, self.bold)
        return replace(self, parts=((text, self.bold),))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Points that a text takes on one line."""
    return size * sum(_advance(character, bold) for character in text)


def longest_word(text: str, size: float, bold: bool = False) -> float:
    """Points that the widest part of a text takes that is not broken."""
    return max((text_width(word, size, bold) for word in _TOKENS.findall(text)), default=0.0)


def count_lines(text: str, width: float, size: float, bold: bool = False) -> int:
    """Lines that a text takes at a width in points; a word that is wider than a line is broken."""
    lines, used, width = 1, 0.0, width + 0.01  # what was made as wide as its text holds it
    for token in _TOKENS.findall(text):
        is_broken = text_width(token, size, bold) > width
        for part in token if is_broken else [token]:
            needed = text_width(part, size, bold)
            fits = token.isspace() or used + needed <= width
            lines, used = (lines, used + needed) if fits else (lines + 1, needed)
    return lines


def shortened(text: str, width: float, size: float, lines: int = 1, bold: bool = False) -> str:
    """The text, cut with an ellipsis to as many lines of a width in points."""
    kept = text
    while kept and count_lines(kept if kept == text else f"{kept}…", width, size, bold) > lines:
        kept = kept[: -max(1, len(kept) // 20)]
    return text if kept == text else f"{kept.rstrip()}…"


@lru_cache(maxsize=8192)
def _advance(character: str, bold: bool) -> float:
    """A character's width, of the size."""
    kind = east_asian_width(character)
    if kind in "WF":
        return 1.0
    own = _font(bold).getlength(character) / 100
    return max(own, 1.0) if kind == "A" and character in "“”‘’…—·" else own


@lru_cache
def _font(bold: bool) -> Any:
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", name), 100)
