"""Names short enough for a chart or a narrow column, which still tell rows apart."""

from __future__ import annotations

from collections.abc import Sequence

ELLIPSIS = "…"


def shorten(line: str, limit: int) -> str:
    """The first `limit` characters of `line`, the last one an ellipsis where more followed."""
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


def distinct(lines: Sequence[str], limit: int) -> list[str]:
    """`lines` shortened to `limit` characters, and numbered where two of them would be equal."""
    short = [shorten(line, limit) for line in lines]
    if len(set(short)) == len(short):
        return short
    return [shorten(f"{i}. {line}", limit) for i, line in enumerate(lines, 1)]
