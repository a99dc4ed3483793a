"""The main comparison, the ablations, and the set-up that they share."""

from __future__ import annotations

from dataclasses import replace

from cifar100.report.claims.findings import findings
from cifar100.report.document.content import Content
from cifar100.report.document.document import Block, Bullets, FigureBlock, Ref, Section, TableBlock
from cifar100.report.figures.forest import forest_figure
from cifar100.report.records.facts import machines, versions
from cifar100.report.records.study import Study
from cifar100.report.tables.hyperparameters import composition_table, hyperparameter_table
from cifar100.report.tables.main_table import ablation_table, main_table, statistics_table
from cifar100.report.tables.recipe_table import recipe_table
from cifar100.report.tables.table import Table

MOST_SENTENCES = 40  # more rows than this are read in the table


def setup(content: Content) -> Section:
    made = machines(content.studies)
    told = [content.line("setup.machine", cpu=cpu, cores=cores, gpus=gpus or content.line("setup.no_gpu"))
            for cpu, cores, gpus in made]  # fmt: skip
    software = versions(content.studies)
    return content.heading(
        "setup.heading",
        content.paragraph("setup.recipe", table=Ref("hyperparameters"), other=Ref("composition")),
        TableBlock(recipe_table(content.main, content.words)),
        TableBlock(hyperparameter_table(content.main, content.words)),
        TableBlock(composition_table(content.main, content.words)),
        content.paragraph("setup.machines", n=len(made), machines="; ".join(told)) if made else None,
        content.paragraph("setup.software", versions=content.listed(software)) if software else None,
        content.paragraph("setup.times"),
    )


def results(content: Content) -> Section:
    study = content.main
    figure = _forest(content, study, "differences")
    fields = {"table": Ref("main"), "baseline": study.baseline.label}
    text = content.paragraph("results.text", figure=Ref(figure.id), **fields) if figure else None
    several = len(study.rows) > 1
    return content.heading(
        "results.heading",
        text or content.paragraph("results.text_alone", **fields),
        TableBlock(main_table(study, content.words)),
        figure,
        *_sentences(content, study),
        TableBlock(statistics_table(study, content.words), small=True) if several else None,
        id="results",
    )


def ablations(content: Content) -> Section | None:
    """A section for each ablation; None where there is none."""
    if not content.ablations:
        return None
    parts = [_ablation(content, study, number) for number, study in enumerate(content.ablations, 1)]
    return content.heading("ablations.heading", content.paragraph("ablations.text"), sections=parts)


def _ablation(content: Content, study: Study, number: int) -> Section:
    title = content.line("ablations.title", name=study.name)
    blocks: list[Block | None] = [TableBlock(ablation_table(study, content.words, id=f"ablation-{number}"))]
    if len(study.rows) == 1:
        blocks.append(content.paragraph("ablations.one_row"))
    else:
        blocks += [_forest(content, study, f"ablation-{number}-differences"), *_sentences(content, study)]
    settings = _settings(content, study, number)
    if settings.rows:
        blocks.append(TableBlock(settings, small=True))
    return Section(f"section-ablation-{number}", title, tuple(block for block in blocks if block is not None))


def _settings(content: Content, study: Study, number: int) -> Table:
    """The settings of an ablation that are not the main study's."""
    ours = hyperparameter_table(study, content.words, id=f"ablation-{number}-settings")
    theirs = {row[:3] for row in hyperparameter_table(content.main, content.words).rows}
    rows = tuple(row for row in ours.rows if len(row) > 3 or row not in theirs)
    return replace(ours, title=content.line("ablations.settings", name=study.name, main=content.main.name), rows=rows)


def _forest(content: Content, study: Study, id: str) -> FigureBlock | None:
    caption = content.line("results.forest", baseline=study.baseline.label)
    return content.figure(id, caption, lambda: forest_figure(study, content.figure_words))


def _sentences(content: Content, study: Study) -> list[Block]:
    """What the intervals of the table support, row by row."""
    found = findings(study, content.words)
    if not found:
        return []
    return [
        content.paragraph("results.findings"),
        Bullets(tuple((each.sentence,) for each in found[:MOST_SENTENCES])),
        content.paragraph("results.supports"),
    ]
