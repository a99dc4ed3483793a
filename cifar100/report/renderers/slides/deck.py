"""The slides of a study as one .pptx file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document.content import Content
from cifar100.report.document.sections.front import data_title
from cifar100.report.document.words import Words
from cifar100.report.records.facts import newest
from cifar100.report.records.study import Study
from cifar100.report.renderers.slides.ablations import add_ablations
from cifar100.report.renderers.slides.accuracy import add_accuracy, add_differences
from cifar100.report.renderers.slides.closing import add_conclusion, add_left_out, add_limits, add_references
from cifar100.report.renderers.slides.costs import add_costs
from cifar100.report.renderers.slides.curves import add_curves
from cifar100.report.renderers.slides.data import add_data
from cifar100.report.renderers.slides.master import new_presentation
from cifar100.report.renderers.slides.material import Material, team_of
from cifar100.report.renderers.slides.methods import add_methods
from cifar100.report.renderers.slides.networks import add_networks
from cifar100.report.renderers.slides.opening import add_opening, add_question
from cifar100.report.renderers.slides.per_class import add_per_class
from cifar100.report.renderers.slides.plan import Plan, plan_slides
from cifar100.report.renderers.slides.recipe import add_recipe
from cifar100.report.renderers.slides.results import add_main, main_grids
from cifar100.report.renderers.slides.save import deck_bytes
from cifar100.report.renderers.slides.tradeoff import add_tradeoff

UNKNOWN_TIME = datetime(2000, 1, 1)


def write_slides(
    study: Study,
    words: Words,
    *,
    team: Sequence[Mapping[str, Any]] = (),
    title: str = "",
    ablations: Sequence[Study] = (),
    path: Path | str | None = None,
) -> bytes:
    """A deck of 12 to 16 slides with native tables and charts; written to `path`, too, where one is given.

    Args:
        study: the main table.
        words: the language.
        team: `{name: ..., part: ...}` of each member, in order.
        title: of the first slide; the report's own where it is empty.
        ablations: further tables, each with its own baseline.
        path: the file, whose folder exists.

    The bytes depend on the records and these arguments alone. Raises ValueError for a member of the team without a
    name, OSError for a file that cannot be written.
    """
    said = Content(study, tuple(ablations), words)
    heading = plain_line(title, 160) or said.line("title", data=data_title(said))
    material = Material(new_presentation(), study, tuple(ablations), words, team_of(team), heading)
    grids = main_grids(material, parts=3)
    plan = plan_slides(material, len(grids))
    _add_pages(material, plan)
    for number, page in enumerate(material.pages, 1):
        page.finish(study.name, number)
    authors = ", ".join(name for name, _ in material.team)
    date = newest((study, *ablations))
    made = datetime.fromisoformat(date) if date else UNKNOWN_TIME
    content = deck_bytes(material.deck, heading, authors, words.language, made)
    if path is not None:
        Path(path).write_bytes(content)
    return content


def _add_pages(material: Material, plan: Plan) -> None:
    add_opening(material)
    add_question(material, contents(material, plan), with_data=not plan.data)
    if plan.data:
        add_data(material)
    add_methods(material, plan.methods)
    if plan.networks:
        add_networks(material)
    add_recipe(material)
    add_main(material, plan.main)
    add_accuracy(material)
    if plan.compared:
        add_differences(material)
        add_tradeoff(material)
    if plan.curves:
        add_curves(material)
    if plan.ablations:
        add_ablations(material, plan.ablations, plan.per_ablation)
    if plan.classes:
        add_per_class(material)
    if plan.costs:
        add_costs(material)
    if plan.left_out:
        add_left_out(material)
    add_limits(material, with_left_out=not plan.left_out)
    add_conclusion(material)
    add_references(material)


def contents(material: Material, plan: Plan) -> list[str]:
    """The titles of what follows the question, in order."""
    there = {
        "data": plan.data,
        "methods": 1,
        "networks": plan.networks,
        "recipe": 1,
        "main": 1,
        "accuracy": 1,
        "differences": plan.compared,
        "tradeoff": plan.compared,
        "curves": plan.curves,
        "ablations": plan.ablations,
        "classes": plan.classes,
        "costs": plan.costs,
        "left_out": plan.left_out,
        "limits": 1,
        "conclusion": 1,
        "references": 1,
    }
    return [material.t(f"{key}.title") for key, count in there.items() if count]
