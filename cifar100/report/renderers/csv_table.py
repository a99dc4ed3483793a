"""A table as CSV (RFC 4180): the printed texts, then the numbers behind them in full precision."""

from __future__ import annotations

import csv
import io
import math

from cifar100.base.text import printable
from cifar100.report.tables.table import Cell, Table

# As ASCII and in full width, which spreadsheets of East Asian languages read alike.
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


def csv_text(table: Table) -> str:
    """One heading line, one line a row, CRLF between them.

    After the columns of texts comes one column of numbers for each column that has any, headed by its key: fractions,
    seconds and counts as Python prints them, empty where a cell has no number. A text that a spreadsheet would run as
    a formula gets an apostrophe in front; that is the one difference to what the other formats print.
    """
    numbers = [place for place in range(len(table.columns)) if any(row[place].value is not None for row in table.rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*map(harmless, table.columns), *(harmless(table.keys[place]) for place in numbers)])
    for row in table.rows:
        writer.writerow([*(harmless(cell.text) for cell in row), *(_number(row[place]) for place in numbers)])
    return text.getvalue()


def harmless(text: str) -> str:
    """`text` on one line, with an apostrophe in front where a spreadsheet would take it for a formula."""
    line = printable(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def _number(cell: Cell) -> str:
    return "" if cell.value is None or not math.isfinite(cell.value) else repr(cell.value)
