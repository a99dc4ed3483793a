"""Code, settings, curves, classes, explanations, and all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cifar100.report.document.content import Content
from cifar100.report.document.document import (
    Block,
    Cite,
    Code,
    CodeBlock,
    FigureBlock,
    Paragraph,
    Ref,
    Section,
    TableBlock,
)
from cifar100.report.document.sections.designs import all_methods
from cifar100.report.document.sections.front import highest
from cifar100.report.document.source import source_of
from cifar100.report.figures.classes import MOST, classes_figure
from cifar100.report.figures.confusion import confusion_figure
from cifar100.report.figures.training import METRICS, designs_figure
from cifar100.report.records.pictures import explanation
from cifar100.report.records.row import Row
from cifar100.report.tables.appendix import runs_table
from cifar100.report.tables.class_results import class_results
from cifar100.report.tables.class_values import differences_by_class, differences_by_superclass
from cifar100.report.tables.confused import confused_classes, confused_table
from cifar100.report.tables.hyperparameters import composition_table, hyperparameter_table
from cifar100.report.tables.per_class import per_class_tables
from cifar100.report.tables.recipe_table import SETTINGS

EXPLANATIONS = ("gradcam", "misclassified")


def appendix(content: Content) -> Section:
    parts = [
        _code(content),
        _settings(content),
        _curves(content),
        _classes(content),
        _explained(content),
        _runs(content),
    ]
    return content.heading("appendix.heading", sections=[part for part in parts if part])


def _code(content: Content) -> Section:
    targets = dict.fromkeys(target for method in all_methods(content) for target in method.targets)
    blocks: list[Block] = []
    for target in targets:
        blocks += [Paragraph((Code(target.rpartition(".")[0]),)), CodeBlock(source_of(target))]
    return content.heading("appendix.code_heading", content.paragraph("appendix.code"), *blocks, id="code")


def _settings(content: Content) -> Section:
    others = hyperparameter_table(content.main, content.words)
    shown = {tuple(key.rpartition(".")[::2]) if "." in key else (key, key) for key in SETTINGS.values()}
    rows = tuple(row for row in others.rows if (row[0].text, row[1].text) not in shown)
    others = replace(others, title=content.line("appendix.other_settings"), rows=rows)
    tables = others, composition_table(content.main, content.words)
    text = content.paragraph("appendix.settings", table=Ref(tables[0].id), other=Ref(tables[1].id))
    return content.heading("appendix.settings_heading", text, *map(TableBlock, tables), id="settings")


def _curves(content: Content) -> Section:
    rows = content.main.rows
    figures = [
        content.figure(
            f"curves-{metric}",
            content.line(f"appendix.curves_{metric}"),
            lambda metric=metric: designs_figure(rows, metric, content.words),
        )
        for metric in METRICS
    ]
    text = content.paragraph("appendix.curves" if any(figures) else "appendix.curves_none")
    return content.heading("appendix.curves_heading", text, *figures, id="curves")


def _classes(content: Content) -> Section | None:
    rows = [row for row in (content.main.baseline, highest(content)) if row]
    found = confused_classes(rows)
    figure = None
    if found:
        labels = content.listed([row.label for row in found.rows])
        caption = content.line("appendix.caption_confusion", rows=labels, n=len(found.names))
        shares = {row.label: each for row, each in zip(found.rows, found.shares, strict=True)}
        figure = content.figure("confusion", caption, lambda: confusion_figure(found.names, shares, content.words))
    pairs = confused_table(rows, content.words) if found else None
    text = content.paragraph("appendix.confusion", figure=Ref("confusion")) if found else None
    blocks = [text, figure, TableBlock(pairs) if pairs else None, *_differences(content, rows[-1])]
    tables = [TableBlock(table) for table in per_class_tables(content.main, content.words)]
    if not any(blocks) and not tables:
        return None
    slides = [content.slide("classes", "slide.classes", TableBlock(pairs))] if pairs else []
    return content.heading("appendix.classes_heading", *blocks, *tables, id="classes-section", slides=slides)


def _differences(content: Content, row: Row) -> list[Any]:
    results, base = class_results(content.main), content.main.baseline
    values = differences_by_class(content.main, row, results) if results and row is not base else {}
    if not results or not values:
        return []
    fields = {"figure": Ref("classes"), "row": row.label, "baseline": base.label, "classes": len(values)}
    figures = [_bars(content, row, "classes", values, "differences")]
    by_superclass = differences_by_superclass(results, values)
    if by_superclass:
        figures.append(_bars(content, row, "superclasses", by_superclass, "superclasses"))
    return [content.paragraph("appendix.differences", **fields), *figures]


def _bars(content: Content, row: Row, id: str, values: Mapping[str, Sequence[float]], key: str) -> FigureBlock | None:
    caption = content.line(f"appendix.caption_{key}", row=row.label, baseline=content.main.baseline.label)
    if len(values) > MOST:
        caption = content.words("findings.space").join([caption, content.line("appendix.caption_ends")])
    return content.figure(id, caption, lambda: classes_figure(values, content.words))


def _explained(content: Content) -> Section | None:
    """The pictures of the first run that has them, of every model of the main comparison that was explained."""
    figures, slides = [], []
    for kind in EXPLANATIONS:
        for number, row in enumerate(content.main.rows):
            found = next(((run, picture) for run in row.runs if (picture := explanation(run, kind))), None)
            if found:
                caption = content.line(f"appendix.caption_{kind}", row=row.label, seed=found[0].seed)
                figures.append(FigureBlock(f"{kind}-{number}", caption, None, found[1]))
                if kind == "gradcam" and number < 2:
                    slides.append(content.slide("classes", "slide.explained", figures[-1], row=row.label))
    if not figures:
        return None
    text = content.paragraph("appendix.explained", cite=Cite("selvaraju2016gradcam"))
    return content.heading("appendix.explained_heading", text, *figures, id="explained", slides=slides)


def _runs(content: Content) -> Section:
    tables = [
        TableBlock(runs_table(study, content.words, id=f"runs-{number}" if number else "runs"), small=True)
        for number, study in enumerate(content.studies)
    ]
    text = content.paragraph("appendix.runs", file=Code("config.yaml"))
    return content.heading("appendix.runs_heading", text, *tables, id="all-runs")
