"""What a finished deck holds, and how large its text really is: measured with a font."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib
from PIL import ImageFont
from pptx.util import Emu

EM = 1000
# Regular and bold: Arial or what has its metrics, else DejaVu Sans, which matplotlib brings along and which is wider.
FONTS = (("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"), ("Arial.ttf", "Arial Bold.ttf"))
FALLBACK = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
WIDER, BOLD_WIDER = 1.14, 1.25
POINT = 12700  # EMU


@dataclass(frozen=True)
class TextBlock:
    """A text with the room that it has and the room that it takes, in points."""

    slide: int
    name: str
    text: str
    height: float
    needed: float
    width: float
    widest: float


def blocks(deck) -> list[TextBlock]:
    """Every text box, placeholder and table cell of the deck."""
    found = []
    for number, slide in enumerate(deck.slides, 1):
        for shape in slide.shapes:
            if shape.has_text_frame and shape.text_frame.text:
                found.append(_block(number, shape.name, shape.text_frame, shape.width, shape.height))
            if shape.has_table:
                table = shape.table
                for y, row in enumerate(table.rows):
                    for x, column in enumerate(table.columns):
                        cell = table.cell(y, x)
                        width = column.width - cell.margin_left - cell.margin_right
                        height = row.height - cell.margin_top - cell.margin_bottom
                        found.append(_block(number, f"cell {y},{x}", cell.text_frame, width, height))
    return found


def _block(slide: int, name: str, frame, width: Emu, height: Emu) -> TextBlock:
    needed, widest = 0.0, 0.0
    for index, paragraph in enumerate(frame.paragraphs):
        size = max(run.font.size.pt for run in paragraph.runs) if paragraph.runs else 0
        bold = any(run.font.bold for run in paragraph.runs)
        indent = int(paragraph._p.get_or_add_pPr().get("marL", 0)) / POINT
        lines = greedy_lines(paragraph.text, width / POINT - indent, size, bold)
        needed += len(lines) * paragraph.line_spacing.pt + (paragraph.space_before.pt if index else 0)
        widest = max([widest, *(length(line, size, bold) + indent for line in lines)])
    return TextBlock(slide, name, frame.text, height / POINT, needed, width / POINT, widest)


def greedy_lines(text: str, width: float, size: float, bold: bool) -> list[str]:
    """The text on as few lines as a program needs that breaks at spaces and beside East Asian characters."""
    lines, line = [], ""
    for word in _words(text):
        if line and length((line + word).rstrip(), size, bold) > width:
            lines.append(line.rstrip())
            line = ""
        line += word
        while len(line) > 1 and length(line.rstrip(), size, bold) > width:  # longer than a line: broken anywhere
            count = max(n for n in range(1, len(line)) if n == 1 or length(line[:n], size, bold) <= width)
            lines.append(line[:count])
            line = line[count:]
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    words = [""]
    for character in text:
        if _wide(character) or (words[-1] and _wide(words[-1][-1])) or words[-1].endswith((" ", "-")):
            words.append("")
        words[-1] += character
    return words


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def length(text: str, size: float, bold: bool = False) -> float:
    """Points: a square for each East Asian character, which is what makes them wide, and the font's for the others."""
    font, factor = _font(bold)
    narrow = "".join(" " if _wide(character) else character for character in text)
    squares = sum(map(_wide, text))
    units = (font.getlength(narrow) - squares * font.getlength(" ")) / factor + squares * EM
    return units * size / EM


@lru_cache
def _font(bold: bool) -> tuple[ImageFont.FreeTypeFont, float]:
    for names in FONTS:
        try:
            return ImageFont.truetype(names[bold], EM), 1.0
        except OSError:
            continue
    name, factor = ("DejaVuSans-Bold.ttf", BOLD_WIDER) if bold else ("DejaVuSans.ttf", WIDER)
    return ImageFont.truetype(FALLBACK / name, EM), factor
