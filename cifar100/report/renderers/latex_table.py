"""A table as LaTeX, for the package booktabs; UTF-8, so Chinese needs xelatex or lualatex with a font that has it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cifar100.base.text import printable
from cifar100.report.tables.table import Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "-": "{-}",
    "\N{MINUS SIGN}": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "\N{EM DASH}": "---",
}


def latex_text(table: Table) -> str:
    """A table environment with caption, label and notes; every text in it is escaped.

    Needs `\\usepackage{booktabs}` and, for quotation marks, `\\usepackage[T1]{fontenc}` and `\\usepackage{textcomp}`.
    """
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(table.title)}}}",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', table.id)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row(table.columns),
        r"\midrule",
        *(_row(cell.text for cell in row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escaped(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """`text` so that LaTeX prints it as it is: no command, no ligature, no optional argument after a line's end."""
    return "".join(_ESCAPES.get(character, character) for character in " ".join(printable(text).split()))


def _row(texts: Iterable[str]) -> str:
    return " & ".join(map(escaped, texts)) + r" \\"
