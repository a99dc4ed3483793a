"""The settings that all rows share."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.grid import Grid, plan_grid
from cifar100.report.renderers.slides.material import Material
from cifar100.report.renderers.slides.shorten import shorten
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.tables import hyperparameter_table

BOX, FOOT = layout.BODY_BOX.split(-0.28)
COLUMNS = 3
LARGEST, SMALLEST = 13.0, 9.0
MOST_NAMED = 6
LONGEST = 14  # characters of a value; the report has all of it


def add_recipe(material: Material) -> None:
    """The report's table of settings, in columns side by side."""
    t, study = material.t, material.study
    message = t("recipe.message")
    if not study.one_recipe:
        names = material.named([plain_line(key, 40) for key in (*study.declared, *study.mixed)], MOST_NAMED)
        message = t("recipe.mixed", names=names)
    page = material.page(t("recipe.title"), message)
    table = hyperparameter_table(study, material.words)
    rows = tuple((_key(row[0].text, row[1].text), shorten(row[2].text, LONGEST)) for row in table.rows)
    grid = Grid((table.columns[1], table.columns[2]), rows, (False, False))
    places = BOX.columns(*[1] * COLUMNS, gap=0.3)
    size = -(-len(rows) // COLUMNS)
    parts = [grid.part(i, i + size) for i in range(0, len(rows), size)]
    type_size = min(plan_grid(part, places[0], LARGEST, SMALLEST, places[0].width).size for part in parts)
    shown = sum(add_table(page, place, part, type_size, type_size) for place, part in zip(places, parts, strict=False))
    page.note_line(FOOT, t("recipe.left_out", n=len(rows) - shown) if shown < len(rows) else t("recipe.note"))


def _key(group: str, name: str) -> str:
    return name if name == group else f"{group}.{name}"
