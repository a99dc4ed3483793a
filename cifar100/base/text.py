"""Text made safe to show, whoever wrote it: file names, records, answers of servers, other programs' messages."""

import difflib
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import category

MAX_LINE = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BREAKS = "\r\n\t\u2028\u2029"


def one_line(text: object) -> str:
    """`text` with white space folded, other unprintable characters escaped and, beyond MAX_LINE characters, cut.

    For messages: a terminal obeys control characters, and an escaped one can still be found in the file it is from.
    """
    folded = " ".join(str(text)[: 2 * MAX_LINE].split())
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folded)
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 4]} ..."


def visible(text: str) -> str:
    """`text` with every character escaped that is neither printable nor a line break: a terminal obeys the others, and
    names of runs, classes and tensors come from anywhere."""
    if text.isprintable():
        return text
    lines = (
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        for line in text.split("\n")
    )
    return "\n".join(lines)


def plain_line(value: object, limit: int) -> str:
    """`value` as one line of printable characters, at most `limit` of them; what is cut off ends in "...".

    For documents: control characters and those that turn the direction of writing are left out, not escaped.
    """
    kept = "".join(character for character in str(value)[: 8 * limit] if character.isprintable() or character.isspace())
    line = " ".join(kept.split())
    return line if len(line) <= limit else f"{line[: limit - 3].rstrip()}..."


def printable(text: str) -> str:
    """`text`, of any length, without control, format, surrogate, private and unassigned characters; line breaks become
    spaces. The last gate before a text is written: nothing steers a terminal, a browser or the direction of writing."""
    if text.isascii() and text.isprintable():
        return text
    kept = (c for c in text if c in _BREAKS or category(c) not in _STEERING)
    return "".join(" " if c in _BREAKS else c for c in kept)


def joined(text: str) -> str:
    """The lines of a message as one, "; " between them."""
    line = ""
    for each in filter(None, map(str.strip, text.splitlines())):
        if line:
            line = line + " " if line.endswith(":") else line.rstrip(";.") + "; "
        line += each
    return line


def nearest(name: str, names: Iterable[Any]) -> list[str]:
    """At most three of `names` that a user who typed `name` may have meant, those that begin alike first."""
    close = difflib.get_close_matches(name, sorted(map(str, names)), n=3, cutoff=0.6)
    return sorted(close, key=lambda each: -len(os.path.commonprefix([name, each])))


def near(name: str, names: Iterable[Any]) -> str:
    """The end of a message about an unknown name: the nearest names, else all of them."""
    names = sorted(map(str, names))
    if close := nearest(name, names):
        return f"; did you mean {' or '.join(close)}?"
    return f"; choose one of {', '.join(names)}" if names else ""


def no_formula(cell: Any) -> Any:
    """A cell of a CSV file; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def in_order(text: str) -> list[tuple[int, float, str]]:
    """A sorting key under which k=5 comes before k=11."""
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(0, float(part), "") if index % 2 else (1, 0.0, part.casefold()) for index, part in enumerate(parts)]


def aligned(rows: Sequence[Sequence[str]], left: Iterable[int] = (0,)) -> list[str]:
    """Rows of a plain-text table as lines, two spaces between columns.

    Args:
        rows: cells, as many in each row.
        left: the columns that hold text, and stand to the left; numbers stand to the right.
    """
    left = set(left)
    rows = [[visible(cell.replace("\n", " ")) for cell in row] for row in rows]  # no cell forges another row
    columns = []
    for index, cells in enumerate(zip(*rows, strict=True)):
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if index in left else cell.rjust(width) for cell in cells])
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
