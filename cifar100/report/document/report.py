"""A report while it is made: its studies, words and options, and the ways in which sections are put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from cifar100.report.claims.comparison import listed
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Cite, FigureBlock, Notice, Paragraph, Section, Slide
from cifar100.report.document.words import Words
from cifar100.report.document.works import methods_of
from cifar100.report.figures.style import drawing, png, svg
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.number_text import count, millions, percent, ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Report:
    """The main study, its ablations and the report's options. Keys of texts are those below `report` in words/."""

    main: Study
    ablations: tuple[Study, ...]
    words: Words
    team: tuple[tuple[str, str, str], ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()

    @property
    def studies(self) -> tuple[Study, ...]:
        return (self.main, *self.ablations)

    @property
    def baseline(self) -> Row:
        return self.main.baseline

    def rows(self) -> Iterator[Row]:
        for study in self.studies:
            yield from study.rows

    def methods(self, row: Row) -> frozenset[str]:
        """The names of the methods that a row's network has."""
        return frozenset(method.name for method in methods_of([row.runs[0].network], self.words.language))

    def line(self, key: str, **fields: Any) -> str:
        return self.words(f"report.{key}", **fields)

    def known(self, key: str) -> str | None:
        """The text where there is one: keys may be made of what records hold."""
        return self.line(key) if f"report.{key}" in self.words else None

    def text(self, key: str, **fields: Any) -> tuple[Any, ...]:
        return self.words.parts(f"report.{key}", **fields)

    def paragraph(self, key: str, **fields: Any) -> Paragraph:
        return Paragraph(self.text(key, **fields))

    def notice(self, key: str, **fields: Any) -> Notice:
        return Notice(self.text(key, **fields))

    def cited(self, text: str, keys: Sequence[str]) -> Paragraph:
        """A paragraph that cites works before its last full stop."""
        cites = [part for key in keys for part in (" ", Cite(key))]
        return Paragraph((text[:-1], *cites, text[-1:]))

    def section(
        self,
        key: str,
        *blocks: Any,
        title: str | None = None,
        sections: Sequence[Section | None] = (),
        slides: Sequence[Slide] = (),
        id: str | None = None,
        numbered: bool = True,
    ) -> Section:
        """A section under the text `<key>`, or a title of its own; blocks and sections that are None are left out."""
        kept, below = (tuple(each for each in group if each is not None) for group in (blocks, sections))
        heading = self.line(key) if title is None else title
        return Section(id or key.partition(".")[0], heading, kept, below, tuple(slides), numbered)

    def slide(self, part: str, *blocks: Any, key: str | None = None, **fields: Any) -> Slide:
        """A slide under the text `slide.<key>`, `slide.<part>` if none is given; blocks that are None are left out."""
        kept = tuple(block for block in blocks if block is not None)
        return Slide(part, self.line(f"slide.{key or part}", **fields), kept)

    def figure(self, id: str, caption: str, draw: Callable[[], Figure | None]) -> FigureBlock | None:
        """The figure that `draw` makes, saved as SVG and PNG; None where it makes none."""
        with drawing():
            figure = draw()
            return None if figure is None else FigureBlock(id, caption, svg(figure), png(figure))

    def series(self, texts: Sequence[str]) -> str:
        """Short texts without commas of their own, in a row."""
        return self.words("findings.comma").join(texts)

    def sentences(self, texts: Sequence[str]) -> str:
        return self.words("findings.space").join(texts)

    def listed(self, names: Iterable[str]) -> str:
        """Names in a row; many are cut and counted."""
        return listed(list(names), self.words)

    def top1(self, row: Row) -> dict[str, str]:
        """A row's mean top-1 and how far its seeds lie apart, as fields of a text."""
        top1 = summarize(row.values("top1"))
        spread = self.line("abstract.spread", std=percent(top1.std), n=top1.n)
        return {
            "row": row.label,
            "mean": percent(top1.mean),
            "spread": self.line("abstract.spread_one") if isnan(top1.std) else spread,
        }


def costs(row: Row) -> dict[str, str]:
    """Size and multiply-adds, as fields of a text."""
    return {"parameters": count(row.parameters), "macs": millions(row.macs)}


def ratios(row: Row, base: Row) -> dict[str, str]:
    """A row's costs as multiples of another's, as fields of a text."""
    return {"parameter_ratio": ratio(row.parameters, base.parameters), "mac_ratio": ratio(row.macs, base.macs)}
