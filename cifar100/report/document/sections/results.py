"""The baseline's result, the comparison of the models, accuracy against cost, and the ablations."""

from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Any

from cifar100.report.claims.comparison import findings, outlook, pair_sentences, tally
from cifar100.report.document.document import Bullets, FigureBlock, Paragraph, Ref, Section, TableBlock
from cifar100.report.document.report import Report
from cifar100.report.document.sections.designs import all_methods
from cifar100.report.figures.differences import forest_figure
from cifar100.report.figures.tradeoff import COSTS, pareto, tradeoff_figure
from cifar100.report.figures.training import last_epoch, training_figure
from cifar100.report.records.study import Study
from cifar100.report.tables.comparison import ablation_table, main_table
from cifar100.report.tables.number_text import duration, percent, points, ratio
from cifar100.report.tables.settings import recipe_changes, recipe_table

ON_SLIDES = ("row", "top1", "change", "verdict", "parameters", "macs")


def results(report: Report) -> Section:
    return report.section("results.heading", sections=[_baseline(report), _comparison(report), _ablations(report)])


def _baseline(report: Report) -> Section:
    row = report.baseline
    caption = report.line("results.curves", row=row.label)
    figure = report.figure("curves-baseline", caption, lambda: training_figure(row, report.words))
    fields = {**report.top1(row), "top5": percent(fmean(row.values("top5"))), "figure": Ref("curves-baseline")}
    text = report.paragraph("results.baseline" if figure else "results.baseline_alone", **fields)
    train, val = last_epoch(row, "train/top1"), last_epoch(row, "val/top1")
    gap = None
    if train is not None and val is not None:
        shown = {"train": percent(train), "val": percent(val), "gap": points(train - val)}
        gap = report.paragraph("results.gap", **shown)
    return report.section("results.baseline_heading", text, gap, figure, id="result-baseline")


def _comparison(report: Report) -> Section:
    study, table = report.main, main_table(report.main, report.words)
    if len(study.rows) == 1:
        text = report.paragraph("results.none")
        return report.section("results.comparison_heading", text, TableBlock(table), id="comparison")
    figure = _forest(report, study, "differences", report.line("results.forest", baseline=study.baseline.label))
    fields = {"table": Ref("main"), "figure": Ref("differences"), "baseline": study.baseline.label}
    return report.section(
        "results.comparison_heading",
        report.paragraph("results.comparison" if figure else "results.comparison_plain", **fields),
        TableBlock(table),
        _answers(report, study),
        figure,
        id="comparison",
        sections=[_cost(report)],
        slides=[
            report.slide("main", TableBlock(table.only(*ON_SLIDES))),
            *([report.slide("differences", figure)] if figure else []),
        ],
    )


def _cost(report: Report) -> Section:
    rows, blocks, slides = report.main.rows, [], []
    for cost in COSTS:
        if any(getattr(row, cost) is None for row in rows):
            continue  # a front of some rows would say nothing of the others
        id, caption = f"tradeoff-{cost.removesuffix('_s')}", report.line(f"results.caption_{cost}")
        figure = report.figure(id, caption, partial(tradeoff_figure, rows, cost, report.words))
        names = report.listed(row.label for row in pareto(rows, cost))
        front = Paragraph((report.line(f"results.front_{cost}", rows=names),))
        blocks += [front, figure]
        if cost != "latency_s":
            slides = [report.slide("cost", front, figure)]
    text = report.paragraph("results.cost")
    return report.section("results.cost_heading", text, *blocks, _times(report), id="cost", slides=slides)


def _times(report: Report) -> Paragraph | None:
    base = report.baseline
    timed = sorted((row for row in report.main.rows if row.train_s > 0), key=lambda row: row.train_s)
    if len(timed) < 2 or base not in timed:
        return None
    fields = {}
    for name, row in (("fastest", timed[0]), ("slowest", timed[-1])):
        fields |= {name: row.label, f"{name}_time": duration(row.train_s)}
        fields[f"{name}_ratio"] = ratio(row.train_s, base.train_s)
    return report.paragraph("results.times", **fields)


def _ablations(report: Report) -> Section:
    """A section for each ablation but those of the study's own designs."""
    own = {id(study) for each in all_methods(report) if each.hybrid for study in studies_of(report, each.name)}
    parts = [ablation(report, study) for study in report.ablations if id(study) not in own]
    text = report.paragraph("ablations.text" if report.ablations else "ablations.none")
    return report.section("ablations.heading", text, sections=parts)


def studies_of(report: Report, method: str) -> list[Study]:
    """The ablations of which at least a third of the designs have a method: those that are about it."""
    return [
        study
        for study in report.ablations
        if 3 * sum(method in report.methods(row) for row in study.rows) >= len(study.rows)
    ]


def ablation(report: Report, study: Study, part: str = "ablations") -> Section:
    name, id = ablation_name(report, study), f"ablation-{report.ablations.index(study) + 1}"
    table = replace(ablation_table(study, report.words, id=id), title=name)
    question = report.known(f"ablations.known.{study.name}.question")
    asked = Paragraph((question,)) if question else None
    caption = report.line("ablations.forest", name=name, baseline=study.baseline.label)
    return report.section(
        "ablations",
        asked,
        TableBlock(table),
        _answers(report, study) if len(study.rows) > 1 else report.paragraph("ablations.one_row"),
        _forest(report, study, f"{id}-differences", caption),
        _settings(report, study),
        title=name,
        id=f"section-{id}",
        slides=[report.slide(part, asked, TableBlock(table.only(*ON_SLIDES)), name=name)],
    )


def ablation_name(report: Report, study: Study) -> str:
    return report.known(f"ablations.known.{study.name}.title") or study.name


def _answers(report: Report, study: Study) -> Bullets | None:
    """The sentences that the intervals support."""
    found = findings(study)
    sentences = tally(found, report.words) + outlook(found, report.words)
    if study is not report.main:
        sentences += pair_sentences(study, report.words)
    return Bullets(tuple((sentence,) for sentence in sentences)) if sentences else None


def _forest(report: Report, study: Study, id: str, caption: str) -> FigureBlock | None:
    return report.figure(id, caption, lambda: forest_figure(study, report.words))


def _settings(report: Report, study: Study) -> Paragraph | None:
    """In what the baseline of an ablation was trained otherwise than that of the main comparison."""
    ours, theirs = (recipe_table(each, report.words).rows for each in (study, report.main))
    lines = [(mine[0], mine[1], yours[1]) for mine, yours in zip(ours, theirs, strict=False)]
    fields: dict[str, Any] = {"baseline": study.baseline.label, "main": report.baseline.label}
    changes = recipe_changes(lines, report.words)
    return report.paragraph("ablations.settings", changes=changes, **fields) if changes else None
