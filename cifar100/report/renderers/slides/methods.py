"""The methods that occur in the study: what they do, their equation, their source."""

from __future__ import annotations

from cifar100.report.document.works import Method, methods_of
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.material import Material
from cifar100.report.renderers.slides.method_block import MethodBlock, source_of
from cifar100.report.renderers.slides.page import Page

PER_PAGE = 4
LARGEST, SMALLEST = 17.0, 9.0  # font sizes, points
GAP = 0.16  # inches between two methods


def methods_in(material: Material) -> list[Method]:
    """Of the study and of its ablations."""
    studies = (material.study, *material.ablations)
    return methods_of((row.runs[0].network for study in studies for row in study.rows), material.words.language)


def add_methods(material: Material, pages: int) -> None:
    """On `pages` slides; methods that have no room are named, and left to the report."""
    t, methods = material.t, methods_in(material)
    shown, others = methods[: pages * PER_PAGE], methods[pages * PER_PAGE :]
    if not shown:
        page = material.page(t("methods.title"))
        page.text(layout.BODY_BOX, [t("methods.none")])
    per_page = -(-len(shown) // pages) if shown else 1
    for number, start in enumerate(range(0, len(shown), per_page), 1):
        last = start + per_page >= len(shown)
        title = t("methods.title") if len(shown) <= per_page else t("part", title=t("methods.title"), number=number)
        page = material.page(title, t("methods.message"))
        box = layout.BODY_BOX
        if last and others:
            box, foot = box.split(-0.45)
            page.note_line(foot, t("methods.others", names=material.named([each.title for each in others])))
        _fill(page, box, shown[start : start + per_page], material)


def _fill(page: Page, box: Box, methods: list[Method], material: Material) -> None:
    """One below the other, all in type of the largest size at which they fit."""
    titles = [material.t("methods.heading", title=each.title, source=source_of(each)).strip() for each in methods]
    blocks = [MethodBlock(method, title) for method, title in zip(methods, titles, strict=True)]
    room = box.height - GAP * (len(blocks) - 1)
    size = LARGEST
    while size > SMALLEST and sum(block.height(box.width, size) for block in blocks) > room:
        size -= 0.5
    shrink = min(1.0, room / sum(block.height(box.width, size) for block in blocks))
    top = box.top
    for block in blocks:
        height = shrink * block.height(box.width, size)
        block.draw(page, Box(box.left, top, box.width, height), size)
        top += height + GAP
