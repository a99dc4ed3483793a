"""Names short enough for a chart or a narrow column, which still tell rows apart. East Asian characters count twice."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.renderers.slides.widths import is_wide

ELLIPSIS = "…"


def shorten(line: str, limit: int) -> str:
    """As much of `line` as `limit` characters of usual width take, with an ellipsis where more followed."""
    if _size(line) <= limit:
        return line
    count = max(n for n in range(len(line)) if _size(line[:n]) < limit)
    return line[:count].rstrip() + ELLIPSIS


def _size(text: str) -> int:
    return len(text) + sum(map(is_wide, text))


def distinct(lines: Sequence[str], limit: int) -> list[str]:
    """`lines` shortened to `limit` characters, and numbered where two of them would be equal."""
    short = [shorten(line, limit) for line in lines]
    if len(set(short)) == len(short):
        return short
    return [shorten(f"{i}. {line}", limit) for i, line in enumerate(lines, 1)]
