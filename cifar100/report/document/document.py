"""The report as a tree of blocks under headings, which knows nothing of HTML or Markdown: its texts are unescaped, and
each renderer escapes for its own format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from cifar100.base.errors import UserError
from cifar100.report.document.words import Words
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
    """A figure as PNG and, where it is no photograph, as SVG. `id` is also the name of its files."""

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

    There is room for about 90 words or 220 Chinese characters, a third of that above a figure or a table. Longer text
    goes on to a further slide; a table shows the rows for which there is room and says how many there are. Captions,
    and titles and notes of tables, are not printed.

    Args:
        part: one of PARTS, else UserError; slides come in their order, those of a part in that of their sections.
        title: the message of the slide, in one line.
        blocks: of text, and at most one figure or table; `Table.only` names the columns to show.
    """

    part: str
    title: str
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise UserError(f"slide {self.title!r}: part={self.part} must be one of {', '.join(PARTS)}")
        if sum(isinstance(block, FigureBlock | TableBlock) for block in self.blocks) > 1:
            raise UserError(f"slide {self.title!r} has more than one figure or table")


@dataclass(frozen=True)
class Section:
    """`slides` stand for it in the deck, and those of sections below come after them; an abstract is not `numbered`."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    sections: tuple[Self, ...] = ()
    slides: tuple[Slide, ...] = ()
    numbered: bool = True

    def walk(self) -> Iterator[Self]:
        """The section and all below it, in reading order."""
        yield self
        for below in self.sections:
            yield from below.walk()


@dataclass(frozen=True)
class Document:
    """`language` is a BCP 47 tag; `byline` holds the lines under the title, such as the authors."""

    title: str
    language: str
    byline: tuple[str, ...]
    sections: tuple[Section, ...]

    def chapters(self) -> list[tuple[str, Section]]:
        """Its sections with their numbers; "" for one without."""
        numbers = count(1)
        return [(str(next(numbers)) if section.numbered else "", section) for section in self.sections]

    def blocks(self) -> list[Block]:
        """All blocks in reading order."""
        return [block for section in self.sections for part in section.walk() for block in part.blocks]

    def slides(self) -> list[Slide]:
        """The deck: the slides of all sections in the order of PARTS."""
        found = [slide for section in self.sections for part in section.walk() for slide in part.slides]
        return sorted(found, key=lambda slide: PARTS.index(slide.part))

    def figures(self) -> list[FigureBlock]:
        return [block for block in self.blocks() if isinstance(block, FigureBlock)]

    def tables(self) -> list[TableBlock]:
        return [block for block in self.blocks() if isinstance(block, TableBlock)]

    def labels(self, words: Words) -> dict[str, str]:
        """`Figure 1` of each figure and `Table 1` of each table, by id, counted apart in reading order. Raises
        UserError where two of them have one id, a bug of whoever built the document."""
        ids = {"figure": [block.id for block in self.figures()], "table": [block.table.id for block in self.tables()]}
        found = {id: words(f"report.{kind}_label", number=n) for kind in ids for n, id in enumerate(ids[kind], 1)}
        if len(found) != sum(map(len, ids.values())):
            raise UserError("two figures or tables have one id")
        return found

    def citations(self) -> dict[str, int]:
        """The number of each cited work, by key, in the order in which they are first cited."""
        parts = [part for block in self.blocks() for text in texts_of(block) for part in text]
        keys = [part.key for part in parts if isinstance(part, Cite)]
        return {key: number for number, key in enumerate(dict.fromkeys(keys), 1)}


def texts_of(block: Block) -> Sequence[Text]:
    """The running text of a block, item by item; nothing of a figure or a table."""
    if isinstance(block, Bullets):
        return block.items
    return (block.text,) if isinstance(block, Paragraph | Notice) else ()
