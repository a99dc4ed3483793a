"""The baseline's result, the comparison of the models, accuracy against cost, and the ablations."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import Any

from cifar100.report.claims.findings import findings, outlook, pair_sentences, tally
from cifar100.report.document.content import Content
from cifar100.report.document.document import Block, Bullets, FigureBlock, Paragraph, Ref, Section, TableBlock
from cifar100.report.document.sections.designs import own_methods
from cifar100.report.figures.forest import forest_figure
from cifar100.report.figures.tradeoff import COSTS, pareto, tradeoff_figure
from cifar100.report.figures.training import last_epoch, training_figure
from cifar100.report.records.study import Study
from cifar100.report.tables.main_table import ablation_table, main_table
from cifar100.report.tables.number_text import duration, percent, points, ratio
from cifar100.report.tables.recipe_table import recipe_table
from cifar100.report.tables.table_notes import recipe_changes

ON_SLIDES = ("row", "top1", "change", "verdict", "parameters", "macs")


def results(content: Content) -> Section:
    parts = [_baseline(content), _comparison(content), _ablations(content)]
    return content.heading("results.heading", sections=parts)


def _baseline(content: Content) -> Section:
    row = content.main.baseline
    figure = content.figure(
        "curves-baseline",
        content.line("results.curves", row=row.label),
        lambda: training_figure(row, content.words),
    )
    fields: dict[str, Any] = {**content.top1(row), "top5": percent(fmean(row.values("top5")))}
    if figure:
        text = content.paragraph("results.baseline", figure=Ref(figure.id), **fields)
    else:
        text = content.paragraph("results.baseline_alone", **fields)
    train, val = last_epoch(row, "train/top1"), last_epoch(row, "val/top1")
    gap = None
    if train is not None and val is not None:
        shown = {"train": percent(train), "val": percent(val), "gap": points(train - val)}
        gap = content.paragraph("results.gap", **shown)
    return content.heading("results.baseline_heading", text, gap, figure, id="result-baseline")


def _comparison(content: Content) -> Section:
    study = content.main
    if len(study.rows) == 1:
        table = TableBlock(main_table(study, content.words))
        return content.heading("results.comparison_heading", content.paragraph("results.none"), table, id="comparison")
    figure = forest(content, study, "differences", content.line("results.forest", baseline=study.baseline.label))
    table, fields = main_table(study, content.words), {"table": Ref("main"), "baseline": study.baseline.label}
    text = content.paragraph("results.comparison", figure=Ref("differences"), **fields) if figure else None
    verdicts = answers(content, study)
    return content.heading(
        "results.comparison_heading",
        text or content.paragraph("results.comparison_plain", **fields),
        TableBlock(table),
        verdicts,
        figure,
        id="comparison",
        sections=[_cost(content)],
        slides=[
            content.slide("main", "slide.main", TableBlock(table.only(*ON_SLIDES))),
            *([content.slide("differences", "slide.differences", figure)] if figure else []),
        ],
    )


def _cost(content: Content) -> Section:
    rows = content.main.rows
    # A front of some rows would say nothing of the others.
    costs = [cost for cost in COSTS if all(getattr(row, cost) is not None for row in rows)]
    blocks: list[Any] = [content.paragraph("results.cost")]
    slides = []
    for cost in costs:
        caption = content.line(f"results.caption_{cost}")
        id = f"tradeoff-{cost.removesuffix('_s')}"
        figure = content.figure(id, caption, lambda cost=cost: tradeoff_figure(rows, cost, content.words))
        front = content.line(f"results.front_{cost}", rows=content.listed([row.label for row in pareto(rows, cost)]))
        blocks += [Paragraph((front,)), figure]
        if cost != "latency_s":
            slides.append(content.slide("cost", "slide.cost", Paragraph((front,)), figure))
    return content.heading("results.cost_heading", *blocks, _times(content), id="cost", slides=slides[-1:])


def _times(content: Content) -> Paragraph | None:
    base = content.main.baseline
    timed = sorted((row for row in content.main.rows if row.train_s > 0), key=lambda row: row.train_s)
    if len(timed) < 2 or base not in timed:
        return None
    fields = {}
    for name, row in (("fastest", timed[0]), ("slowest", timed[-1])):
        fields |= {
            name: row.label,
            f"{name}_time": duration(row.train_s),
            f"{name}_ratio": ratio(row.train_s, base.train_s),
        }
    return content.paragraph("results.times", **fields)


def _ablations(content: Content) -> Section:
    """A section for each ablation but those of the study's own designs."""
    own = {id(study) for method in own_methods(content) for study in studies_of(content, method.name)}
    parts = [ablation(content, study) for study in content.ablations if id(study) not in own]
    text = content.paragraph("ablations.text" if content.ablations else "ablations.none")
    return content.heading("ablations.heading", text, sections=parts)


def studies_of(content: Content, method: str) -> list[Study]:
    """The ablations of which at least a third of the designs have a method: those that are about it."""
    return [
        study
        for study in content.ablations
        if 3 * sum(method in content.methods(row) for row in study.rows) >= len(study.rows)
    ]


def ablation(content: Content, study: Study, part: str = "ablations") -> Section:
    number = content.ablations.index(study) + 1
    name, id = ablation_name(content, study), f"ablation-{number}"
    table = TableBlock(replace(ablation_table(study, content.words, id=id), title=name))
    question = f"ablations.known.{study.name}.question"
    asked = content.paragraph(question) if content.words.has(f"report.{question}") else None
    verdicts: Block | None = content.paragraph("ablations.one_row")
    if len(study.rows) > 1:
        verdicts = answers(content, study)
    caption = content.line("ablations.forest", name=name, baseline=study.baseline.label)
    figure = forest(content, study, f"{id}-differences", caption)
    words = TableBlock(table.table.only(*ON_SLIDES))
    slide = content.slide(
        part, "slide.ablation" if part == "ablations" else "slide.innovation", asked, words, name=name
    )
    blocks = [asked, table, verdicts, figure, _settings(content, study)]
    return Section(f"section-{id}", name, tuple(block for block in blocks if block is not None), slides=(slide,))


def ablation_name(content: Content, study: Study) -> str:
    key = f"ablations.known.{study.name}.title"
    return content.line(key) if content.words.has(f"report.{key}") else study.name


def answers(content: Content, study: Study) -> Bullets | None:
    """What the intervals support, those of one verdict together."""
    found = findings(study, content.words)
    told = tally(found, content.words) + outlook(found, content.words)
    if study is not content.main:
        told += pair_sentences(study, content.words)
    return Bullets(tuple((sentence,) for sentence in told)) if told else None


def forest(content: Content, study: Study, id: str, caption: str) -> FigureBlock | None:
    return content.figure(id, caption, lambda: forest_figure(study, content.words))


def _settings(content: Content, study: Study) -> Paragraph | None:
    """In what the baseline of an ablation was trained otherwise than that of the main comparison."""
    ours, theirs = (recipe_table(each, content.words).rows for each in (study, content.main))
    lines = [(mine[0], mine[1], yours[1]) for mine, yours in zip(ours, theirs, strict=False)]
    changes = recipe_changes(lines, content.words)
    fields = {"baseline": study.baseline.label, "main": content.main.baseline.label, "changes": changes}
    return content.paragraph("ablations.settings", **fields) if changes else None
