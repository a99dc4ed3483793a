"""The main table."""

from __future__ import annotations

from cifar100.report.claims.comparison import compare, verdict
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.accuracy import coloured, rows_note
from cifar100.report.renderers.slides.grid import Grid, grid_of
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.table import add_table, split_grid
from cifar100.report.tables.tables import main_table

BOX, FOOT = layout.BODY_BOX.split(-0.28)


def main_grids(material: Material, parts: int) -> list[Grid]:
    """The main table, cut into as many parts as it needs but at most `parts`; rows beyond are in none."""
    table = main_table(material.study, material.words)
    return split_grid(coloured(grid_of(table), material.study, table.keys.index("verdict")), BOX, parts)


def add_main(material: Material, pages: int) -> None:
    t, grids = material.t, main_grids(material, pages)
    start, everything = 0, sum(len(grid.rows) for grid in grids)
    for number, grid in enumerate(grids, 1):
        title = t("main.title") if len(grids) == 1 else t("part", title=t("main.title"), number=number)
        page = material.page(title, result_message(material))
        stop = start + add_table(page, BOX, grid)
        page.note_line(FOOT, rows_note(material, everything) or _note(material))
        page.add_notes(*run_notes(material, material.study.rows[start:stop]))
        start = stop


def _note(material: Material) -> str:
    key = "main.note" if any(compare(material.study).values()) else "main.note_alone"
    return material.t(key)


def result_message(material: Material) -> str:
    """How many rows differ from the baseline."""
    study = material.study
    if len(study.rows) == 1:
        return material.t("main.alone")
    found = compare(study)
    verdicts = [verdict(study, row, found[row.label]) for row in study.rows[1:]]
    counts = {key: verdicts.count(key) for key in ("better", "worse")}
    said = {key: material.t(f"main.count.{key}", n=count) for key, count in counts.items()}
    return material.t("main.message", n=len(verdicts), rest=len(verdicts) - sum(counts.values()), **said)
