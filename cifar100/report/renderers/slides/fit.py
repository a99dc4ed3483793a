"""Which font size lets text fit its box, found without drawing anything: the same on every machine.

Lines break where presentation programs break them: at white space, after a hyphen, beside East Asian characters, and
inside a word that is longer than a line. Lines are set at a fixed pitch, so their height depends on no font either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from cifar100.report.renderers.slides.shorten import ELLIPSIS
from cifar100.report.renderers.slides.widths import character_width, gap, is_wide, units

MARGIN = 1.06  # programs round and kern differently; text is taken to be this much wider than it is
PITCH = 1.25  # distance of two lines' feet, in font sizes
CLOSING = set("，。、；：？！）》」』】”’…—")  # no line begins with these
OPENING = set("（《「『【“‘")  # no line ends in these


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a text box: `gap` is the room above it, in font sizes.

    A `bullet` or a `sign` of a legend stands left of the text, which is indented; `colour` is that of the sign, if any.
    """

    text: str
    bold: bool = False
    bullet: bool = False
    sign: str = ""
    gap: float = 0.0
    colour: str | None = None

    @property
    def indent(self) -> float:
        """Font sizes that the text is moved right of the box's edge."""
        return 1.5 if self.sign else 1.0 if self.bullet else 0.0


def _breaks_beside(character: str) -> bool:
    return is_wide(character) or character in CLOSING or character in OPENING


@lru_cache(maxsize=2**12)
def pieces(text: str) -> tuple[str, ...]:
    """`text` cut wherever a line may end; joined they are the text again."""
    found: list[str] = []
    for word in re.findall(r"[^\s-]*-+|[^\s-]+|\s+", text):
        part = ""
        for character in word:
            breaks = part and (_breaks_beside(part[-1]) or _breaks_beside(character))
            if breaks and character not in CLOSING and part[-1] not in OPENING:
                found.append(part)
                part = ""
            part += character
        found.append(part)
    return tuple(found)


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The lines of `text` in a box `width` points wide at font size `size` (points); at least one line."""
    lines, line, taken = [], "", 0
    room = 1000 * width / MARGIN / size
    for piece in pieces(text):
        between = gap(line[-1], piece[0]) if line else 0
        if taken + between + units(piece.rstrip(), bold) <= room:
            line, taken = line + piece, taken + between + units(piece, bold)
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = piece.lstrip()
        while units(line, bold) > room and len(line) > 1:
            count = _characters_in(line, room, bold)
            lines.append(line[:count])
            line = line[count:]
        taken = units(line, bold)
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _characters_in(word: str, room: float, bold: bool) -> int:
    """How many characters of a word that is longer than a line go on one."""
    taken = 0
    for count, character in enumerate(word):
        taken += character_width(character, bold) + (gap(word[count - 1], character) if count else 0)
        if taken > room:
            return max(count, 1)
    return len(word)


def text_height(paragraphs: Sequence[Paragraph], width: float, size: float) -> float:
    """Points from the top of the first line to the foot of the last, at font size `size` in a box of `width` points."""
    height = 0.0
    for index, paragraph in enumerate(paragraphs):
        lines = len(wrap(paragraph.text, width - paragraph.indent * size, size, paragraph.bold))
        height += lines * size * PITCH + (paragraph.gap * size if index else 0.0)
    return height


def fit_size(paragraphs: Sequence[Paragraph], width: float, height: float, largest: float, smallest: float) -> float:
    """The largest size (points, in halves) from `largest` down to `smallest` at which all fits, else `smallest`."""
    size = largest
    while size > smallest and text_height(paragraphs, width, size) > height:
        size -= 0.5
    return max(size, smallest)


def cut_to_fit(paragraphs: Sequence[Paragraph], width: float, height: float, size: float) -> list[Paragraph]:
    """`paragraphs` without what does not fit at `size`; an ellipsis stands where text is missing."""
    kept: list[Paragraph] = []
    for paragraph in paragraphs:
        if text_height([*kept, paragraph], width, size) <= height:
            kept.append(paragraph)
            continue
        shorter = _cut(paragraph, kept, width, height, size)
        if shorter is not None:
            kept.append(shorter)
        elif kept:
            kept[-1] = _cut(replace(kept[-1], text=kept[-1].text + " "), kept[:-1], width, height, size) or kept[-1]
        break
    return kept


def _cut(paragraph: Paragraph, kept: list[Paragraph], width: float, height: float, size: float) -> Paragraph | None:
    """The longest beginning of the paragraph that fits below `kept` with an ellipsis, None where no character does."""
    low, high = 0, len(paragraph.text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        attempt = replace(paragraph, text=paragraph.text[:middle].rstrip() + ELLIPSIS)
        if text_height([*kept, attempt], width, size) <= height:
            low = middle
        else:
            high = middle - 1
    return replace(paragraph, text=paragraph.text[:low].rstrip() + ELLIPSIS) if low > 0 else None
