"""Data and augmentation, training, environment and measures."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Cite, Paragraph, Ref, Section, TableBlock
from cifar100.report.records.facts import data_names, machines, versions, whole
from cifar100.report.tables.recipe_table import recipe_table


def setup(content: Content) -> Section:
    table = TableBlock(recipe_table(content.main, content.words))
    data, training = _data(content), _training(content)
    parts = [
        content.heading("setup.data_heading", *data, id="data"),
        content.heading("setup.training_heading", *training, table, id="training"),
        content.heading("setup.environment_heading", *_environment(content), id="environment"),
        content.heading("setup.measures_heading", *_measures(content), id="measures"),
    ]
    slides = [
        content.slide("setup", "slide.setup", Bullets(tuple(each.text for each in [*data, training[-1]]))),
        content.slide("setup", "slide.recipe", table),
    ]
    return content.heading("setup.heading", sections=parts, slides=slides)


def _data(content: Content) -> list[Paragraph]:
    shared, names = content.main.shared_recipe, data_names(content.studies)
    held_out, tested = whole(shared.get("data.val_size")), whole(shared.get("evaluation.n"))
    normalized = "setup.normalized_cifar100" if names == ["cifar100"] else "setup.normalized"
    steps = augmentation(content)
    found = [
        content.paragraph(normalized),
        content.paragraph("setup.augmented", steps=content.series(steps))
        if steps
        else content.paragraph("setup.not_augmented"),
    ]
    if held_out is not None:
        found.append(
            content.paragraph("setup.held_out", n=held_out) if held_out else content.paragraph("setup.none_held_out")
        )
    if tested:
        found.append(content.paragraph("setup.tested", n=tested, share=f"{100 / tested:.2g}"))
    return found


def augmentation(content: Content) -> list[str]:
    """The steps of the baseline's augmentation in words, those that are off left out."""
    recorded = content.main.baseline.runs[0].config["augment"]
    keys = {"padding": "padding", "flip": "flip", "policy": "policy", "cutout": "cutout",
            "mixup": "mixup_alpha", "cutmix": "cutmix_alpha"}  # fmt: skip
    return [
        content.line(f"setup.augment.{step}", **{key: plain_line(recorded[key], 24)})
        for step, key in keys.items()
        if recorded.get(key)
    ]


def _training(content: Content) -> list[Paragraph]:
    cites: dict[str, Any] = {"sgdr": Cite("loshchilov2016sgdr"), "adamw": Cite("loshchilov2017adamw")}
    own = [row.label for row in content.main.rows if row.own_recipe]
    recipe = content.paragraph("setup.own_recipe", rows=content.listed(own), n=len(own)) if own else None
    if content.main.one_recipe:
        recipe = content.paragraph("setup.one_recipe")
    found = [content.paragraph("setup.recipe", table=Ref("recipes"), **cites), recipe, content.paragraph("setup.seeds")]
    return [paragraph for paragraph in found if paragraph]


def _environment(content: Content) -> list[Paragraph]:
    made = [content.line("setup.machine", cpu=cpu, cores=cores, gpus=gpus or content.line("setup.no_gpu"))
            for cpu, cores, gpus in machines(content.studies)]  # fmt: skip
    software, found = versions(content.studies), []
    if made:
        found.append(content.paragraph("setup.machines", machines="; ".join(made)))
    if software:
        found.append(content.paragraph("setup.software", versions=content.series(software)))
    return found


def _measures(content: Content) -> list[Paragraph]:
    partial = [
        row.label for row in content.rows() if any(run.evaluation.get("uncounted_operators") for run in row.runs)
    ]
    cites: dict[str, Any] = {"dunnett": Cite("dunnett1955"), "tukey": Cite("tukey1949")}
    found = [content.paragraph("setup.measures"), content.paragraph("setup.statistics", **cites)]
    if partial:
        found.append(content.paragraph("setup.uncounted", rows=content.listed(list(dict.fromkeys(partial)))))
    return found
