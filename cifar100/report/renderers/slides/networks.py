"""What the networks consist of."""

from __future__ import annotations

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.accuracy import rows_note
from cifar100.report.renderers.slides.grid import grid_of
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.material import Material
from cifar100.report.renderers.slides.table import add_table
from cifar100.report.tables.tables import composition_table


def add_networks(material: Material) -> None:
    """The baseline's parts, and what sets every other row apart from it."""
    t = material.t
    table = composition_table(material.study, material.words)
    page = material.page(t("networks.title"), t("networks.message", baseline=material.study.baseline.label))
    head = Box(layout.MARGIN, layout.BODY_BOX.top, layout.BODY_BOX.width, 0.75)
    page.text(head, list(table.notes), 14, 9, layout.MUTED)
    box, foot = layout.BODY_BOX.split(0.75)[1].split(-0.28)
    count = add_table(page, box, grid_of(table, strong=frozenset({0})))
    page.note_line(foot, rows_note(material, count))
