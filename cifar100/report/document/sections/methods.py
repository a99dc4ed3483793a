"""The data set, the designs that occur, what is measured and how differences are judged."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document.content import Content
from cifar100.report.document.document import Block, Cite, Equation, Paragraph, Section, Strong
from cifar100.report.document.works import Method, methods_of, untold
from cifar100.report.records.facts import data_names, whole

CITED = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def data_and_methods(content: Content) -> Section:
    parts = [
        content.heading("data.set_heading", *_data(content), id="data-set"),
        content.heading("data.methods_heading", content.paragraph("data.methods"), *_designs(content), id="designs"),
        content.heading("data.measures_heading", *_measures(content), id="measures"),
        content.heading("data.statistics_heading", *_statistics(content), id="statistics"),
    ]
    return content.heading("data.heading", sections=parts)


def _data(content: Content) -> list[Paragraph]:
    names, found = data_names(content.studies), []
    if len(names) > 1:
        found.append(content.paragraph("data.mixed", names=content.listed(names)))
    for name in names:
        if name in CITED:
            found.append(content.paragraph(f"data.{name}", cite=Cite(CITED[name])))
        elif name == "tiny_imagenet":
            found.append(content.paragraph("data.tiny_imagenet"))
        else:
            found.append(content.paragraph("data.other", name=name, **_size(content)))
    held_out = whole(content.main.shared_recipe.get("data.val_size"))
    if held_out:
        found.append(content.paragraph("data.held_out", n=held_out))
    elif held_out == 0:
        found.append(content.paragraph("data.none_held_out"))
    tested = whole(content.main.shared_recipe.get("evaluation.n"))
    if tested:
        found.append(content.paragraph("data.tested", n=tested, share=f"{100 / tested:.2g}"))
    return found


def _size(content: Content) -> dict[str, str]:
    shared = content.main.shared_recipe
    keys = {"classes": "data.num_classes", "resolution": "data.resolution"}
    return {name: plain_line(shared.get(key, "?"), 12) for name, key in keys.items()}


def _designs(content: Content) -> list[Block]:
    networks = [row.runs[0].network for row in content.rows()]
    found = [block for method in methods_of(networks, content.words.language) for block in _design(content, method)]
    unknown = untold(networks)
    return [*found, content.paragraph("data.untold", names=content.listed(unknown))] if unknown else found


def _design(content: Content, method: Method) -> list[Block]:
    cites: list[Any] = [part for key in method.references for part in (" ", Cite(key))]
    blocks: list[Block] = [Paragraph((Strong(method.title), *cites, content.line("data.stop"), method.text))]
    for latex, where in method.equations:
        blocks += [Equation(latex), Paragraph((where,))]
    return blocks


def _measures(content: Content) -> list[Paragraph]:
    found = [content.paragraph("data.measures", cite=Cite("guo2017calibration"))]
    partial = [
        row.label for row in content.rows() if any(run.evaluation.get("uncounted_operators") for run in row.runs)
    ]
    if partial:
        found.append(content.paragraph("data.uncounted", rows=content.listed(list(dict.fromkeys(partial)))))
    return found


def _statistics(content: Content) -> list[Paragraph]:
    return [content.paragraph("data.statistics", cite=Cite("dunn1961")), content.paragraph("data.verdict")]
