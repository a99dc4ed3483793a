"""The first slides: who, what for, and what is to come."""

from __future__ import annotations

from pptx.enum.text import PP_ALIGN

from cifar100.report.records.facts import newest
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.data import data_lines, protocol_lines
from cifar100.report.renderers.slides.fit import PITCH, Paragraph, fit_size
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.master import opening_layout
from cifar100.report.renderers.slides.material import Material

MOST_MEMBERS = 10


def add_opening(material: Material) -> None:
    study, t = material.study, material.t
    page = material.page(material.title, slide_layout=opening_layout(material.deck))
    title, subtitle = page.slide.placeholders[0], page.slide.placeholders[1]
    page.fill(title, layout.OPENING_TITLE_BOX, [Paragraph(material.title, bold=True)], _title_size(material.title), 18)
    page.rule(Box(layout.MARGIN, 1.55, 0.08, 4.7), layout.ACCENT)
    date = newest((study, *material.ablations))
    facts = t("opening.facts", study=study.name, rows=t("count.rows", n=len(study.rows)), runs=_runs(material))
    lines = [Paragraph(facts, colour=layout.MUTED)]
    if date is not None:
        lines.append(Paragraph(t("opening.newest", date=date), colour=layout.MUTED))
    for index, (name, part) in enumerate(material.team[:MOST_MEMBERS]):
        text = t("opening.member", name=name, part=part) if part else name
        lines.append(Paragraph(text, gap=1.0 if index == 0 else 0.2))
    if len(material.team) > MOST_MEMBERS:
        lines.append(Paragraph(t("opening.more_members", n=len(material.team) - MOST_MEMBERS), gap=0.2))
    page.fill(subtitle, layout.OPENING_TEXT_BOX, lines, 20, 11, layout.INK, PP_ALIGN.LEFT)
    page.add_notes(t("notes.origin"))


def _title_size(title: str) -> float:
    """Points at which the title stays on one line, where that is still large; else those at which it may break."""
    box = layout.OPENING_TITLE_BOX
    size = fit_size([Paragraph(title, bold=True)], box.width * POINTS, 40 * PITCH, 40, 20)
    return size if size >= 28 else 34


def add_question(material: Material, contents: list[str], with_data: bool) -> None:
    """The question and how it is answered; the data set too, where it has no slide of its own."""
    study, t = material.study, material.t
    alone = len(study.rows) == 1
    page = material.page(t("question.title"), t("question.alone" if alone else "question.message", **_names(material)))
    left, right = layout.BODY_BOX.columns(3, 2, gap=0.6)
    lines = [t("question.runs", rows=t("count.rows", n=len(study.rows)), runs=_runs(material))]
    lines.append(t("question.recipe" if study.one_recipe else "question.mixed"))
    if not alone:
        lines += [t("question.paired"), t("question.verdict")]
    if with_data:
        lines += [*data_lines(material)[:1], *protocol_lines(material)[:2]]
    bullets = [Paragraph(line, bullet=True, gap=0.5) for line in lines]
    page.text(left, [Paragraph(t("question.how"), bold=True), *bullets], layout.BODY, 11)
    listed = [Paragraph(name, bullet=True, gap=0.25) for name in contents]
    page.text(right, [Paragraph(t("question.contents"), bold=True), *listed], layout.BODY, 10)


def _runs(material: Material) -> str:
    return material.t("count.runs", n=len(material.study.runs))


def _names(material: Material) -> dict[str, str]:
    data = str(material.study.shared_recipe.get("data.name") or material.t("unknown"))
    return {
        "data": material.t(f"data.names.{data}") if material.words.has(f"slides.data.names.{data}") else data,
        "baseline": material.study.baseline.label,
    }
