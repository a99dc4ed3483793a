"""How wide characters are, in thousandths of the font size: what a line needs is known without any font installed.

The figures for ASCII are those of Adobe's Helvetica, whose metrics Arial and Liberation Sans share. Everything else is
taken as wide as it gets: a square for East Asian characters and for signs, which their fonts draw as wide.
"""

import unicodedata
from functools import lru_cache
from itertools import pairwise

FIRST = 32
REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778,
    722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
    278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778,
    722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333,
    278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
)  # fmt: skip
SQUARE = 1000
LETTER = 780  # an accented letter, as wide as ASCII's wide capitals
PICTURE = 1400
GAP = 250  # between scripts


@lru_cache(maxsize=2**12)
def character_width(character: str, bold: bool = False) -> int:
    """Thousandths of the font size that `character` takes, rather too much than too little."""
    index = ord(character) - FIRST
    if 0 <= index < len(REGULAR):
        return (BOLD if bold else REGULAR)[index]
    if unicodedata.combining(character):
        return 0
    category = unicodedata.category(character)
    if category == "So":
        return PICTURE
    return LETTER if category in ("Ll", "Lu", "Lt") and ord(character) < 0x250 else SQUARE


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Points that `text` takes on one line at font size `size` (points)."""
    return units(text, bold) * size / 1000


@lru_cache(maxsize=2**15)
def units(text: str, bold: bool) -> int:
    """Thousandths of the font size that `text` takes on one line."""
    width = sum(character_width(character, bold) for character in text)
    return width if text.isascii() else width + sum(gap(before, after) for before, after in pairwise(text))


def gap(before: str, after: str) -> int:
    """What LibreOffice puts between East Asian and other characters; PowerPoint puts nothing there."""
    return GAP if is_wide(before) != is_wide(after) else 0


@lru_cache(maxsize=2**12)
def is_wide(character: str) -> bool:
    """Whether it is East Asian and takes a square."""
    return unicodedata.east_asian_width(character) in ("W", "F")
