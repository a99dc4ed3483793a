"""What the report's sections are made of: the studies, the words, and the figures as they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from cifar100.report.claims.findings import listed
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Cite, FigureBlock, Notice, Paragraph, Section, Slide, Text
from cifar100.report.document.words import Words
from cifar100.report.document.works import methods_of
from cifar100.report.figures.style import drawing, png, svg
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Content:
    """The main study, its ablations and the options of the report; and short ways to say things of them."""

    main: Study
    ablations: tuple[Study, ...]
    words: Words
    team: tuple[tuple[str, str, str], ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()

    @property
    def studies(self) -> tuple[Study, ...]:
        return (self.main, *self.ablations)

    def rows(self) -> Iterator[Row]:
        for study in self.studies:
            yield from study.rows

    def methods(self, row: Row) -> frozenset[str]:
        """The names of the methods that a row's network has."""
        return frozenset(method.name for method in methods_of([row.runs[0].network], self.words.language))

    def cited(self, text: str, keys: Sequence[str]) -> Paragraph:
        """A paragraph that cites works before its last full stop."""
        cites = [part for key in keys for part in (" ", Cite(key))]
        return Paragraph((text[:-1], *cites, text[-1:]))

    def text(self, key: str, **fields: Any) -> Text:
        return self.words.parts(f"report.{key}", **fields)

    def line(self, key: str, **fields: Any) -> str:
        return self.words(f"report.{key}", **fields)

    def paragraph(self, key: str, **fields: Any) -> Paragraph:
        return Paragraph(self.text(key, **fields))

    def notice(self, key: str, **fields: Any) -> Notice:
        return Notice(self.text(key, **fields))

    def heading(
        self,
        key: str,
        *blocks: Any,
        sections: Sequence[Section] = (),
        slides: Sequence[Slide] = (),
        id: str | None = None,
        numbered: bool = True,
    ) -> Section:
        """A section whose title is the text `<key>`, with those of the blocks that are not None."""
        kept = tuple(block for block in blocks if block is not None)
        return Section(id or key.partition(".")[0], self.line(key), kept, tuple(sections), tuple(slides), numbered)

    def slide(self, part: str, key: str, *blocks: Any, notes: Sequence[str] = (), **fields: Any) -> Slide:
        """A slide whose title is the text `<key>`, with those of the blocks that are not None."""
        kept = tuple(block for block in blocks if block is not None)
        return Slide(part, self.line(key, **fields), kept, tuple(notes))

    def series(self, texts: Sequence[str]) -> str:
        """Short texts without commas of their own, in a row."""
        return self.words("findings.comma").join(texts)

    def listed(self, names: Sequence[str]) -> str:
        return listed(names, self.words)

    def figure(self, id: str, caption: str, draw: Callable[[], Figure | None]) -> FigureBlock | None:
        """The figure that `draw` makes, saved as SVG and PNG; None where it makes none."""
        with drawing():
            figure = draw()
            return None if figure is None else FigureBlock(id, caption, svg(figure), png(figure))

    def top1(self, row: Row) -> dict[str, str]:
        """A row's mean top-1 and how far its seeds lie apart, as fields of a text."""
        top1 = summarize(row.values("top1"))
        one = isnan(top1.std)
        spread = (
            self.line("abstract.spread_one") if one else self.line("abstract.spread", std=percent(top1.std), n=top1.n)
        )
        return {"row": row.label, "mean": percent(top1.mean), "spread": spread}
