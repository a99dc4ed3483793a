"""The report as a tree that knows nothing of HTML or Markdown: what is said, in which order, under which heading.

Every text in it is unescaped; each renderer escapes for its own format.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from cifar100.base.errors import UserError
from cifar100.report.tables.table import Table


@dataclass(frozen=True)
class Code:
    """A name or command, set in a fixed-width face."""

    text: str


@dataclass(frozen=True)
class Strong:
    text: str


@dataclass(frozen=True)
class Ref:
    """A mention of a figure or table of this document, by its id."""

    id: str


@dataclass(frozen=True)
class Cite:
    """A mention of a work, by its key in references.yaml."""

    key: str


Inline = str | int | float | Code | Strong | Ref | Cite
Text = tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    text: Text


@dataclass(frozen=True)
class Notice:
    """A paragraph that a reader must not miss."""

    text: Text


@dataclass(frozen=True)
class Bullets:
    items: tuple[Text, ...]


@dataclass(frozen=True)
class Equation:
    """`latex` in the part of LaTeX that both latex2mathml and GitHub's Markdown render."""

    latex: str


@dataclass(frozen=True)
class CodeBlock:
    """Lines of Python, set in a fixed-width face and kept as they are."""

    text: str


@dataclass(frozen=True)
class FigureBlock:
    """A figure that is drawn, as PNG and, where it was not a photograph to begin with, as SVG. `id` is also the name of
    its files."""

    id: str
    caption: str
    svg: bytes | None = field(repr=False)
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class TableBlock:
    """`table.title` is the caption, `table.id` what a Ref names."""

    table: Table
    small: bool = False


@dataclass(frozen=True)
class Bibliography:
    """The works that the document cites, in the order of their numbers."""


Block = Paragraph | Notice | Bullets | Equation | CodeBlock | FigureBlock | TableBlock | Bibliography

# The parts of the deck, in the order of its slides.
PARTS = (
    "background", "baseline", "designs", "setup", "main", "differences", "cost", "ablations", "innovation", "classes",
    "conclusion", "future",
)  # fmt: skip


@dataclass(frozen=True)
class Slide:
    """A slide of the deck, made of blocks like those of the report; a section lists the slides that stand for it.

    A slide has at most one figure or one table, most often the section's own block, and a few words: paragraphs,
    bullets, an equation. Text is set at 18 points or more, tables at 12 or more. That is room for about 90 words or 220
    Chinese characters on a slide of text, a third of that above a figure or a table. Text beyond it goes on to a
    further slide of the same title; a table shows the rows for which there is room and says how many there are.
    A figure's caption is not printed, nor are a table's title and notes: the slide's own words say what to see.

    Args:
        part: one of PARTS; slides come in their order, those of one part in the order of their sections.
        title: what the slide shows, in one line.
        blocks: Paragraph, Notice, Bullets, Equation, FigureBlock, TableBlock; `Table.only` names the columns to show.
        notes: lines for the speaker, such as the runs behind the numbers.

    Raises:
        ValueError: an unknown part or more than one figure or table; a bug of whoever built the slide.
    """

    part: str
    title: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise UserError(f"slide {self.title!r}: part={self.part} must be one of {', '.join(PARTS)}")
        if sum(isinstance(block, FigureBlock | TableBlock) for block in self.blocks) > 1:
            raise UserError(f"slide {self.title!r} has more than one figure or table")


@dataclass(frozen=True)
class Section:
    """A section of the report; `slides` stand for it in the deck, and those of sections below come after them. An
    abstract is not `numbered`."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...] = ()
    slides: tuple[Slide, ...] = ()
    numbered: bool = True


@dataclass(frozen=True)
class Document:
    """`language` is a BCP 47 tag; `byline` holds the lines under the title, such as the authors."""

    title: str
    language: str
    byline: tuple[str, ...]
    sections: tuple[Section, ...]

    def chapters(self) -> list[tuple[str, Section]]:
        """Its sections with their numbers; "" for one without."""
        numbers = itertools.count(1)
        return [(str(next(numbers)) if section.numbered else "", section) for section in self.sections]

    def blocks(self) -> Iterator[Block]:
        """All blocks in reading order."""
        for section in self.sections:
            yield from _blocks(section)

    def slides(self) -> list[Slide]:
        """The deck: the slides of all sections in the order of PARTS."""
        found = [slide for section in self.sections for slide in _slides(section)]
        return sorted(found, key=lambda slide: PARTS.index(slide.part))

    def figures(self) -> list[FigureBlock]:
        return [block for block in self.blocks() if isinstance(block, FigureBlock)]

    def tables(self) -> list[TableBlock]:
        return [block for block in self.blocks() if isinstance(block, TableBlock)]

    def numbers(self) -> dict[str, int]:
        """The number of each figure and of each table, by id, counted apart from 1 in reading order.

        Raises:
            ValueError: two of them have one id; a bug of whoever built the document.
        """
        ids = [[block.id for block in self.figures()], [block.table.id for block in self.tables()]]
        numbers = {id: number for kind in ids for number, id in enumerate(kind, 1)}
        if len(numbers) != sum(map(len, ids)):
            raise UserError("two figures or tables have one id")
        return numbers

    def citations(self) -> dict[str, int]:
        """The number of each cited work, by key, in the order in which they are first cited."""
        keys = [part.key for block in self.blocks() for part in _inlines(block) if isinstance(part, Cite)]
        return {key: number for number, key in enumerate(dict.fromkeys(keys), 1)}


def _blocks(section: Section) -> Iterator[Block]:
    yield from section.blocks
    for below in section.sections:
        yield from _blocks(below)


def _slides(section: Section) -> Iterator[Slide]:
    yield from section.slides
    for below in section.sections:
        yield from _slides(below)


def _inlines(block: Block) -> Text:
    if isinstance(block, Paragraph | Notice):
        return block.text
    if isinstance(block, Bullets):
        return tuple(part for item in block.items for part in item)
    return ()
