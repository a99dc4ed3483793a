"""A document as Markdown (GitHub's), its figures as files beside it."""

from __future__ import annotations

from cifar100.report.document.document import (
    Block,
    Bullets,
    Cite,
    Code,
    CodeBlock,
    Document,
    Equation,
    FigureBlock,
    Inline,
    Notice,
    Paragraph,
    Ref,
    Section,
    Strong,
    TableBlock,
)  # fmt: skip
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works
from cifar100.report.renderers.markdown_text import at_start, code, escaped, markdown_table


def markdown_document(document: Document, words: Words, figure_path: str = "figures/{id}.png") -> str:
    """The whole file; `figure_path` says where a figure of an id is, as seen from it. Text is escaped."""
    writer = _Writer(document, words, figure_path)
    parts = [f"# {escaped(document.title)}", *(f"*{escaped(line)}*" for line in document.byline)]
    for number, section in document.chapters():
        parts += writer.section(section, number, 2)
    return "\n\n".join(part for part in parts if part) + "\n"


class _Writer:
    def __init__(self, document: Document, words: Words, figure_path: str) -> None:
        self._words, self._figure_path = words, figure_path
        self._numbers, self._citations = document.numbers(), document.citations()
        self._figures = {figure.id for figure in document.figures()}

    def section(self, section: Section, number: str, level: int) -> list[str]:
        title = f"{number} {escaped(section.title)}".strip()
        parts = [f"{'#' * level} {title}", *map(self._block, section.blocks)]
        for place, below in enumerate(section.sections, 1):
            parts += self.section(below, f"{number}.{place}".lstrip("."), level + 1)
        return parts

    def _block(self, block: Block) -> str:
        if isinstance(block, Paragraph):
            return at_start(self._text(block.text))
        if isinstance(block, Notice):
            return f"> **{self._words('report.note')}** {self._text(block.text)}"
        if isinstance(block, Bullets):
            return "\n".join(f"- {at_start(self._text(item))}" for item in block.items)
        if isinstance(block, Equation):
            return f"```math\n{block.latex}\n```"
        if isinstance(block, CodeBlock):
            return f"```python\n{block.text}\n```"
        if isinstance(block, FigureBlock):
            path = self._figure_path.format(id=block.id)
            caption = escaped(block.caption)
            return f"![{caption}]({path})\n\n**{escaped(self._label(block.id))}.** {caption}"
        if isinstance(block, TableBlock):
            return self._table(block)
        return self._works()

    def _table(self, block: TableBlock) -> str:
        title = f"**{escaped(self._label(block.table.id))}.** {escaped(block.table.title)}"
        notes = "\n".join(f"- {at_start(escaped(note))}" for note in block.table.notes)
        return "\n\n".join(filter(None, [title, markdown_table(block.table), notes]))

    def _works(self) -> str:
        lines = []
        for key, number in self._citations.items():
            work = load_works()[key]
            source = f"[{escaped(work.source)}]({work.url})" if work.url else escaped(work.source)
            lines.append(f"{number}. {escaped(work.authors)}. *{escaped(work.title)}*. {work.year}. {source}.")
        return "\n".join(lines)

    def _text(self, text: tuple[Inline, ...]) -> str:
        return "".join(map(self._inline, text))

    def _inline(self, part: Inline) -> str:
        if isinstance(part, Code):
            return code(part.text)
        if isinstance(part, Strong):
            return f"**{escaped(part.text)}**"
        if isinstance(part, Ref):
            return escaped(self._label(part.id))
        if isinstance(part, Cite):
            return f"\\[{self._citations[part.key]}\\]"
        return escaped(str(part))

    def _label(self, id: str) -> str:
        key = "report.figure_label" if id in self._figures else "report.table_label"
        return self._words(key, number=self._numbers[id])
