"""The last slides: what was left out, what the study cannot say, what it says, and its sources."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.document.works import Work, load_works
from cifar100.report.records.study import LeftOut
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.fit import Paragraph, fit_size
from cifar100.report.renderers.slides.grid import Grid
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.material import Material, run_notes
from cifar100.report.renderers.slides.methods import methods_in
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.said import conclusion_lines, limit_lines
from cifar100.report.renderers.slides.table import add_table

MOST_IDENTICAL = 6
DATA_SETS = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def add_left_out(material: Material) -> None:
    """Runs that were found and not used, and rows that are one network."""
    t, left_out = material.t, _left_out(material)
    runs = sum(len(study.runs) for study in (material.study, *material.ablations))
    used = t("left_out.used", runs=t("count.runs", n=runs), n=len(left_out))
    page = material.page(t("left_out.title"), used)
    left, right = layout.BODY_BOX.columns(3, 2, gap=0.6)
    head, body = left.split(0.35)
    page.text(head, [Paragraph(t("left_out.runs"), bold=True)], 16, 11, layout.ACCENT)
    if left_out:
        _add_left_out_table(material, page, body)
    else:
        page.text(body, [t("left_out.none")], 16)
    head, body = right.split(0.35)
    page.text(head, [Paragraph(t("left_out.identical"), bold=True)], 16, 11, layout.ACCENT)
    lines = identical_lines(material) or [t("left_out.no_identical")]
    page.text(body, [Paragraph(line, bullet=True, gap=0.4) for line in lines], 16, 10)


def has_left_out(material: Material) -> bool:
    return bool(_left_out(material)) or bool(identical_lines(material))


def _left_out(material: Material) -> list[LeftOut]:
    return [each for study in (material.study, *material.ablations) for each in study.left_out]


def _add_left_out_table(material: Material, page: Page, box: Box) -> None:
    t, left_out = material.t, _left_out(material)
    box, foot = box.split(-0.28)
    columns = (t("left_out.columns.run"), t("left_out.columns.reason"))
    rows = tuple((each.name, each.reason) for each in left_out)
    count = add_table(page, box, Grid(columns, rows, (False, False)), 12.0)
    if count < len(rows):
        page.note_line(foot, t("left_out.more", n=len(rows) - count))
        page.add_notes(*(f"{each.name}: {each.reason}" for each in left_out[count:]))


def identical_lines(material: Material) -> list[str]:
    studies = (material.study, *material.ablations)
    pairs = [(row.label, row.identical_to) for study in studies for row in study.rows if row.identical_to is not None]
    pairs = list(dict.fromkeys(pairs))
    lines = [material.t("left_out.pair", row=row, other=other) for row, other in pairs[:MOST_IDENTICAL]]
    more = len(pairs) - MOST_IDENTICAL
    return [*lines, material.t("left_out.more_pairs", n=more)] if more > 0 else lines


def add_limits(material: Material, with_left_out: bool) -> None:
    """What bounds the claims; the runs left out and identical rows too, where they have no slide of their own."""
    t = material.t
    page = material.page(t("limits.title"), t("limits.message"))
    lines = limit_lines(material)
    if with_left_out:
        lines += identical_lines(material)
        lines += [t("limits.left_out", n=count)] if (count := len(_left_out(material))) else []
        page.add_notes(*(f"{each.name}: {each.reason}" for each in _left_out(material)))
    page.text(layout.BODY_BOX, [Paragraph(line, bullet=True, gap=0.5) for line in lines], layout.BODY, 11)


def add_conclusion(material: Material) -> None:
    page = material.page(material.t("conclusion.title"))
    box = Box(layout.MARGIN, 1.45, layout.WIDTH - 2 * layout.MARGIN, layout.BODY_BOX.bottom - 1.45)
    lines = conclusion_lines(material)
    page.text(box, [Paragraph(line, bullet=listed, gap=0.3 if listed else 0.7) for line, listed in lines], 20, 11)
    page.add_notes(*run_notes(material, material.study.rows))


def add_references(material: Material) -> None:
    page = material.page(material.t("references.title"))
    works = cited(material)
    box = Box(layout.MARGIN, 1.4, layout.WIDTH - 2 * layout.MARGIN, layout.BODY_BOX.bottom - 1.4)
    half = -(-len(works) // 2) if len(works) > 5 else len(works)
    places = box.columns(1, 1, gap=0.5) if half < len(works) else [box]
    lines = [Paragraph(reference(work), bullet=True, gap=0.35) for work in works]
    parts = [part for part in (lines[:half], lines[half:]) if part]
    size = min(fit_size(part, places[0].width * POINTS, places[0].height * POINTS, 15, 9) for part in parts)
    for place, part in zip(places, parts, strict=True):
        page.text(place, part, size, size)


def cited(material: Material) -> list[Work]:
    """The works behind the methods that occur, and behind the data set and the statistics."""
    works = load_works()
    name = str(material.study.shared_recipe.get("data.name") or "")
    keys = [key for method in methods_in(material) for key in method.references]
    keys += [DATA_SETS[name]] if name in DATA_SETS else []
    keys += ["dunn1961"] if len(material.study.rows) > 1 else []
    return [works[key] for key in dict.fromkeys(keys) if key in works]


def reference(work: Work) -> str:
    authors: Sequence[str] = work.authors.split(", ")
    listed = ", ".join(authors) if len(authors) <= 3 else f"{authors[0]} et al."
    return f"{listed} ({work.year}). {work.title}. {work.source}"
