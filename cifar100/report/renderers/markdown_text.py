"""Text in Markdown that reads as it is, whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cifar100.base.text import printable
from cifar100.report.tables.table import Cell, Table

# What begins markup in CommonMark, in GitHub's tables and formulas, or in HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~$&^])")
# What GitHub turns into links and mentions by itself.
_LINK = re.compile(r"(?i):(?=//)|(?<=www)\.|@")
# What begins a list, a heading or a rule at the start of a line.
_START = re.compile(r"^(\s*\d*)([-+=.)])")


def escaped(text: str) -> str:
    """`text` on one line, so that no character of it is markup within a line."""
    line = _MARKUP.sub(r"\\\1", printable(text))
    return _LINK.sub(lambda match: f"\\{match[0]}", line)


def at_start(line: str) -> str:
    """A line of Markdown that begins a paragraph, so that it begins nothing else."""
    return _START.sub(r"\1\\\2", line)


def code(text: str) -> str:
    """`text` in a fixed-width face, with a fence longer than any run of backticks in it."""
    line = printable(text)
    runs = [len(run) for run in re.findall(r"`+", line)]
    fence = "`" * (max(runs, default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line.strip() else line


def markdown_table(table: Table) -> str:
    """A table in GitHub's form; a cell's note stands behind its text."""
    rule = ["---:" if numeric else "---" for numeric in table.numeric]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return "\n".join(_line(cells) for cells in ([escaped(each) for each in table.columns], rule, *rows))


def _cell(cell: Cell) -> str:
    return f"{escaped(cell.text)} *({escaped(cell.note)})*" if cell.note else escaped(cell.text)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
