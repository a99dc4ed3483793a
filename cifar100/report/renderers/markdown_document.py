"""A document as Markdown (GitHub's) that reads as it is, whatever its texts hold; figures are files beside it."""

import re
from collections.abc import Sequence

from cifar100.base.text import printable
from cifar100.report.document import document as tree
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works
from cifar100.report.tables.table import Cell, Table

# What begins markup in CommonMark, in GitHub's tables and formulas, or in HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~$&^])")
# What GitHub turns into links and mentions by itself.
_LINK = re.compile(r"(?i):(?=//)|(?<=www)\.|@")
# What begins a list, a heading or a rule at the start of a line.
_START = re.compile(r"^(\s*\d*)([-+=.)])")


def markdown_document(document: tree.Document, words: Words, figure_path: str = "figures/{id}.png") -> str:
    """The whole file; `figure_path` says where a figure of an id is, as seen from it. Text is escaped."""
    writer = _Writer(document, words, figure_path)
    parts = [f"# {escaped(document.title)}", *(f"*{escaped(line)}*" for line in document.byline)]
    for number, section in document.chapters():
        parts += writer.section(section, number, 2)
    return "\n\n".join(part for part in parts if part) + "\n"


class _Writer:
    def __init__(self, document: tree.Document, words: Words, figure_path: str) -> None:
        self._note, self._figure_path = words("report.note"), figure_path
        self._labels, self._citations = document.labels(words), document.citations()

    def section(self, section: tree.Section, number: str, level: int) -> list[str]:
        title = f"{number} {escaped(section.title)}".strip()
        parts = [f"{'#' * level} {title}", *map(self._block, section.blocks)]
        for place, below in enumerate(section.sections, 1):
            parts += self.section(below, f"{number}.{place}".lstrip("."), level + 1)
        return parts

    def _block(self, block: tree.Block) -> str:
        match block:
            case tree.Paragraph(text):
                return at_start(self._text(text))
            case tree.Notice(text):
                return f"> **{self._note}** {self._text(text)}"
            case tree.Bullets(items):
                return "\n".join(f"- {at_start(self._text(item))}" for item in items)
            case tree.Equation(latex):
                return f"```math\n{latex}\n```"
            case tree.CodeBlock(text):
                return f"```python\n{text}\n```"
            case tree.FigureBlock(id, caption):
                title = self._title(id, caption)
                return f"![{escaped(caption)}]({self._figure_path.format(id=id)})\n\n{title}"
            case tree.TableBlock(table):
                return self._table(table)
        return self._works()

    def _table(self, table: Table) -> str:
        notes = "\n".join(f"- {at_start(escaped(note))}" for note in table.notes)
        return "\n\n".join(filter(None, [self._title(table.id, table.title), markdown_table(table), notes]))

    def _title(self, id: str, text: str) -> str:
        return f"**{escaped(self._labels[id])}.** {escaped(text)}"

    def _works(self) -> str:
        lines = []
        for key, number in self._citations.items():
            work = load_works()[key]
            source = f"[{escaped(work.source)}]({work.url})" if work.url else escaped(work.source)
            lines.append(f"{number}. {escaped(work.authors)}. *{escaped(work.title)}*. {work.year}. {source}.")
        return "\n".join(lines)

    def _text(self, text: tree.Text) -> str:
        return "".join(map(self._inline, text))

    def _inline(self, part: tree.Inline) -> str:
        match part:
            case tree.Code(text):
                return code(text)
            case tree.Strong(text):
                return f"**{escaped(text)}**"
            case tree.Ref(id):
                return escaped(self._labels[id])
            case tree.Cite(key):
                return f"\\[{self._citations[key]}\\]"
        return escaped(str(part))


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
