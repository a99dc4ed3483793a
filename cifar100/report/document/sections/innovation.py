"""The study's own designs: argument, form, and their results against their parts."""

from __future__ import annotations

from typing import Any

from cifar100.report.claims.comparison import against_each_other, compared
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Paragraph, Ref, Section
from cifar100.report.document.sections.designs import drawing, equations, example, own_methods, ratios
from cifar100.report.document.sections.results import ablation, studies_of
from cifar100.report.document.works import Method
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import interval, points


def innovation(content: Content) -> Section:
    found = own_methods(content)
    text = content.paragraph("innovation.text" if found else "innovation.none")
    return content.heading("innovation.heading", text, sections=[_section(content, method) for method in found])


def _section(content: Content, method: Method) -> Section:
    picture = drawing(content, method, "methods.drawing")
    blocks: list[Any] = [
        content.cited(method.argument, method.references),
        Paragraph((method.text,)),
        *equations(content, method),
        picture,
    ]
    blocks += _in_main(content, method)
    parts = [ablation(content, study, "innovation") for study in studies_of(content, method.name)]
    slide = content.slide("innovation", "slide.innovation", Paragraph((method.argument,)), picture, name=method.title)
    kept = tuple(block for block in blocks if block is not None)
    return Section(f"method-{method.name}", method.title, kept, tuple(parts), (slide,))


def _in_main(content: Content, method: Method) -> list[Any]:
    """Its difference in the main table to the designs that it is made of."""
    row = example(content, method)
    if row is None or row not in content.main.rows:
        return []
    parents = parents_of(content, content.main, row)
    pairs = [pair_text(content, row, other) for other in parents]
    if not pairs:
        return []
    return [content.paragraph("innovation.parts", table=Ref("main")), Bullets(tuple((pair,) for pair in pairs))]


def parents_of(content: Content, study: Study, row: Row) -> list[Row]:
    """The designs whose methods are some of the row's, and not only the baseline's: what it is made of."""
    ours, usual = content.methods(row), content.methods(study.baseline)
    return [other for other in study.rows if usual < content.methods(other) < ours]


def pair_text(content: Content, row: Row, other: Row) -> str:
    """The difference of two designs of the main comparison, judged with all pairs of it at once."""
    found, judged = against_each_other(content.main), [each.label for each in compared(content.main)]
    places = tuple(judged.index(each.label) if each.label in judged else -1 for each in (row, other))
    turned = places[::-1]
    mean = summarize(row.values("top1")).mean - summarize(other.values("top1")).mean
    change, verdict = points(mean), "one_seed" if min(row.n, other.n) == 1 else "no_interval"
    key = places if found and places in found.differences else turned
    if found and key in found.differences and found.differences[key].has_interval:
        each, sign = found.differences[key], 1 if key == places else -1
        ends = sorted((sign * each.low, sign * each.high))
        change = f"{change} {interval(*ends)}"
        verdict = "undecided" if not each.distinguishable else "better" if mean > 0 else "worse"
    fields = {"row": row.label, "other": other.label, "change": change}
    fields["verdict"] = content.words(f"tables.verdicts.{verdict}")
    return content.line("innovation.pair", **fields, **ratios(row, other))
