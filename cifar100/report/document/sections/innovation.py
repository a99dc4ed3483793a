"""The study's own designs: argument, form, and their results against their parts."""

from cifar100.report.claims.comparison import against_each_other, compared
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Block, Bullets, Paragraph, Ref, Section
from cifar100.report.document.report import Report, ratios
from cifar100.report.document.sections.designs import all_methods, drawing, equations, example
from cifar100.report.document.sections.results import ablation, studies_of
from cifar100.report.document.works import Method
from cifar100.report.records.study import Row
from cifar100.report.tables.number_text import interval, points


def innovation(report: Report) -> Section:
    found = [method for method in all_methods(report) if method.hybrid]
    text = report.paragraph("innovation.text" if found else "innovation.none")
    return report.section("innovation.heading", text, sections=[_method(report, method) for method in found])


def _method(report: Report, method: Method) -> Section:
    picture = drawing(report, method)
    return report.section(
        "innovation",
        report.cited(method.argument, method.references),
        Paragraph((method.text,)),
        *equations(method),
        picture,
        *_against_parts(report, method),
        title=method.title,
        id=f"method-{method.name}",
        sections=[ablation(report, study, "innovation") for study in studies_of(report, method.name)],
        slides=[report.slide("innovation", Paragraph((method.argument,)), picture, name=method.title)],
    )


def _against_parts(report: Report, method: Method) -> list[Block]:
    """Its difference in the main table to the designs that it is made of: those whose methods are some of its own, and
    not only the baseline's."""
    row = example(report, method)
    if row is None or row not in report.main.rows:
        return []
    ours, usual = report.methods(row), report.methods(report.baseline)
    pairs = [_pair(report, row, other) for other in report.main.rows if usual < report.methods(other) < ours]
    if not pairs:
        return []
    return [report.paragraph("innovation.parts", table=Ref("main")), Bullets(tuple((pair,) for pair in pairs))]


def _pair(report: Report, row: Row, other: Row) -> str:
    """The difference of two designs of the main comparison, judged with all pairs of it at once."""
    found, judged = against_each_other(report.main), [each.label for each in compared(report.main)]
    one, two = (judged.index(each.label) if each.label in judged else -1 for each in (row, other))
    mean = summarize(row.values("top1")).mean - summarize(other.values("top1")).mean
    change, verdict = points(mean), "one_seed" if min(row.n, other.n) == 1 else "no_interval"
    differences = found.differences if found else {}
    each, sign = (differences[one, two], 1) if (one, two) in differences else (differences.get((two, one)), -1)
    if each and each.has_interval:
        change = f"{change} {interval(*sorted((sign * each.low, sign * each.high)))}"
        verdict = "undecided" if not each.distinguishable else "better" if mean > 0 else "worse"
    return report.line(
        "innovation.pair",
        row=row.label,
        other=other.label,
        change=change,
        verdict=report.words(f"tables.verdicts.{verdict}"),
        **ratios(row, other),
    )
