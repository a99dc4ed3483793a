"""Confusion matrices and differences class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cifar100.report.claims.comparison import common_seeds
from cifar100.report.document.content import Content
from cifar100.report.document.document import Block, FigureBlock, Paragraph, Ref, Section, TableBlock
from cifar100.report.document.sections.opening import highest
from cifar100.report.figures.classes import MOST, classes_figure
from cifar100.report.figures.confusion import NAMED, confusion_figure
from cifar100.report.records.row import Row
from cifar100.report.tables.class_results import ClassResults, class_results
from cifar100.report.tables.class_values import confusion_of, differences_by_class, differences_by_superclass
from cifar100.report.tables.per_class import per_class_tables


def classes(content: Content) -> Section:
    best, results = highest(content), class_results(content.main)
    rows = [content.main.baseline, *([best] if best else [])]
    figures = [_confusion(content, row, results) for row in rows]
    shown = [figure for figure in figures if figure is not None]
    text = "none" if not shown else "confusion" if len(shown) > 1 else "confusion_alone"
    tables = [TableBlock(table) for table in per_class_tables(content.main, content.words)]
    below = _differences(content, best, results, tables[1:]) if best and results else None
    return content.heading(
        "classes.heading", content.paragraph(f"classes.{text}"), *shown, *tables[:1], sections=[below] if below else []
    )


def _confusion(content: Content, row: Row, results: ClassResults | None) -> FigureBlock | None:
    found = confusion_of(row)
    if found is None:
        return None
    names, matrix, runs = found
    groups = (
        list(results.superclasses) if results and list(results.names) == names and all(results.superclasses) else None
    )
    caption = content.line("classes.caption_confusion", row=row.label, n=runs)
    if groups and len(names) > NAMED:
        caption = content.words("findings.space").join([caption, content.line("classes.grouped")])
    id = "confusion-baseline" if row is content.main.baseline else "confusion-highest"
    return content.figure(id, caption, lambda: confusion_figure(matrix, names, groups, content.figure_words))


def _differences(content: Content, row: Row, results: ClassResults, tables: list[TableBlock]) -> Section | None:
    by_class = differences_by_class(content.main, row, results)
    if not by_class:
        return None
    figures = [_figure(content, row, "classes", by_class, "classes.caption_differences")]
    by_superclass = differences_by_superclass(results, by_class)
    if by_superclass:
        figures.append(_figure(content, row, "superclasses", by_superclass, "classes.caption_superclasses"))
    blocks: list[Block | None] = [_text(content, row, results), *figures, _verdicts(content, row, results), *tables]
    return content.heading("classes.differences_heading", *blocks, id="class-differences")


def _figure(content: Content, row: Row, id: str, values: Mapping[str, Sequence[float]], key: str) -> FigureBlock | None:
    caption = content.line(key, row=row.label, baseline=content.main.baseline.label)
    if len(values) > MOST:
        caption = content.words("findings.space").join([caption, content.line("classes.caption_ends")])
    return content.figure(id, caption, lambda: classes_figure(values, content.figure_words))


def _text(content: Content, row: Row, results: ClassResults) -> Paragraph:
    counts = {n for n in results.images if n}
    fields = {"figure": Ref("classes"), "row": row.label, "baseline": content.main.baseline.label}
    fields["classes"] = sum(n > 0 for n in results.images)
    if len(counts) > 1:
        return content.paragraph("classes.differences_varied", **fields)
    images = counts.pop()
    return content.paragraph("classes.differences", images=images, share=f"{100 / images:.1f}", **fields)


def _verdicts(content: Content, row: Row, results: ClassResults) -> Paragraph:
    if len(common_seeds(content.main, row)) < 2:
        return content.paragraph("classes.no_interval")
    changes = results.changes(content.main, row)
    names = [change.name.replace("_", " ") for change in changes if change.distinguishable]
    if not names:
        return content.paragraph("classes.none_distinguishable", classes=len(changes))
    return content.paragraph("classes.distinguishable", classes=len(changes), n=len(names), names=content.listed(names))
