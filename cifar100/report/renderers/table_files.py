"""A table as CSV (RFC 4180), with the numbers behind its texts in full precision, and as LaTeX for booktabs."""

import csv
import io
import math
import re
from collections.abc import Iterable

from cifar100.base.text import printable
from cifar100.report.tables.table import Cell, Table

# Beginnings of formulas, as ASCII and in full width, which spreadsheets of East Asian languages read alike.
_FORMULA = tuple(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "-": "{-}", "\N{MINUS SIGN}": "$-$", "±": r"$\pm$",
    "×": r"$\times$", "∞": r"$\infty$", "\N{EM DASH}": "---",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip


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


def latex_text(table: Table) -> str:
    """A table environment with caption, label and notes; every text in it is escaped.

    Needs `\\usepackage{booktabs}` and, for quotation marks, `\\usepackage[T1]{fontenc}` and `\\usepackage{textcomp}`.
    UTF-8, so Chinese needs xelatex or lualatex with a font that has it.
    """
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_escaped(table.title)}}}",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', table.id)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(table.columns),
        r"\midrule",
        *(_latex_row(cell.text for cell in row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {latex_escaped(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_escaped(text: str) -> str:
    """`text` so that LaTeX prints it as it is: no command, no ligature, no optional argument after a line's end."""
    return "".join(_LATEX.get(character, character) for character in " ".join(printable(text).split()))


def _latex_row(texts: Iterable[str]) -> str:
    return " & ".join(map(latex_escaped, texts)) + r" \\"
