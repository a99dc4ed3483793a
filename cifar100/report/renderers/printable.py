"""The last gate before a text is written: nothing in it steers a terminal, a browser or the direction of writing."""

from __future__ import annotations

from unicodedata import category

_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    """`text` without control, format, surrogate, private and unassigned characters; line breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if c in "\r\n\t\u2028\u2029" else c for c in text if c in "\r\n\t" or _is_kept(c))


def _is_kept(character: str) -> bool:
    return character in "\u2028\u2029" or category(character) not in _STEERING
