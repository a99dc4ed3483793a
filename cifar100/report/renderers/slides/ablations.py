"""The ablations: each a table and a chart of its own where there is room, else several tables on one slide."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.claims.comparison import compare
from cifar100.report.claims.findings import findings, tally
from cifar100.report.records.study import Study
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.accuracy import add_difference_bars, coloured
from cifar100.report.renderers.slides.fit import Paragraph
from cifar100.report.renderers.slides.grid import Grid, grid_of, plan_grid
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.main_table import ablation_table

ALONE = ("row", "n", "top1", "change", "verdict", "parameters")
BESIDE_ONE = ("row", "top1", "change", "verdict")
BESIDE_TWO = ("row", "top1", "verdict")


def add_ablations(material: Material, pages: int, per_page: int) -> None:
    """`pages` slides of up to `per_page` ablations; those beyond are counted on the last."""
    t, studies = material.t, material.ablations
    shown, left_out = studies[: pages * per_page], studies[pages * per_page :]
    for number, start in enumerate(range(0, len(shown), per_page), 1):
        part = shown[start : start + per_page]
        if len(part) == 1:
            page = _add_one(material, part[0])
        else:
            page = _add_several(material, part, number if len(shown) > per_page else 0)
        if left_out and start + per_page >= len(shown):
            box = Box(layout.MARGIN, layout.BODY_BOX.bottom - 0.24, layout.BODY_BOX.width, 0.24)
            page.note_line(box, t("ablations.left_out", n=len(left_out)))


def _add_one(material: Material, study: Study) -> Page:
    words = material.words
    message = words("findings.space").join(tally(findings(study, words), words))
    page = material.page(material.t("ablations.one", name=study.name), message or material.t("ablations.alone"))
    box, foot = layout.BODY_BOX.split(-0.55)
    found = compare(study)
    left, right = box.columns(4, 6) if any(found.values()) else (box, box)
    count = add_table(page, right, _grid(material, study, ALONE), 13.0)
    add_difference_bars(material, page, left, study.rows[1:count], found)
    _add_note(material, page, foot.split(0.24)[0], study, count)
    return page


def _add_several(material: Material, studies: Sequence[Study], number: int) -> Page:
    t = material.t
    title = t("part", title=t("ablations.title"), number=number) if number else t("ablations.title")
    page = material.page(title, t("ablations.message"))
    box, _ = layout.BODY_BOX.split(-0.25)
    keys = BESIDE_ONE if len(studies) == 2 else BESIDE_TWO
    places = [place.split(0.32) for place in box.columns(*[1] * len(studies), gap=0.4)]
    grids = [_grid(material, study, keys) for study in studies]
    size = min(plan_grid(grid, body.split(-0.42)[0], 12.0).size for grid, (_, body) in zip(grids, places, strict=True))
    for (head, body), study, grid in zip(places, studies, grids, strict=True):
        body, foot = body.split(-0.42)
        page.text(head, [Paragraph(study.name, bold=True)], 16, 10, layout.ACCENT)
        count = add_table(page, body, grid, size, size)
        _add_note(material, page, foot, study, count)
    return page


def _grid(material: Material, study: Study, keys: Sequence[str]) -> Grid:
    table = ablation_table(study, material.words)
    return coloured(grid_of(table, [table.keys.index(key) for key in keys]), study, keys.index("verdict"))


def _add_note(material: Material, page: Page, box: Box, study: Study, count: int) -> None:
    if count < len(study.rows):
        text = material.t("rows_left_out", shown=count, n=len(study.rows))
    else:
        text = material.t("ablations.note", seeds=seeds_text([row.n for row in study.rows]))
    page.note_line(box, text)
    page.add_notes(study.name, *run_notes(material, study.rows[:count]))


def seeds_text(counts: Sequence[int]) -> str:
    """`3`, or `2–3` where rows differ."""
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)}–{max(counts)}"
