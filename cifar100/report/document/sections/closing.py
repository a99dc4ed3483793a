"""Conclusion with limits and future work, contributions, references."""

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import findings
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Bibliography, Block, Bullets, CodeBlock, Ref, Section, TableBlock, Text
from cifar100.report.document.report import Report, ratios
from cifar100.report.document.sections.results import ablation_name
from cifar100.report.records.provenance import FEW_EPOCHS, FEW_SEEDS, data_names, epoch_text, epochs, seed_counts
from cifar100.report.tables.comparison import Columns
from cifar100.report.tables.number_text import NONE, ratio
from cifar100.report.tables.table import Table, table_of

DIRECTIONS = ("attention", "scale", "augment", "search", "data", "explain", "distillation", "quantization", "transfer")


def conclusion(report: Report) -> Section:
    future = _directions(report)
    answers: list[Block] = [report.paragraph("conclusion.alone")]
    if items := _answers(report):
        answers = [report.paragraph("conclusion.answers", baseline=report.baseline.label), Bullets(items)]
        if not any(each.verdict in ("better", "worse") for each in findings(report.main)):
            answers.append(report.paragraph("conclusion.nothing"))
    ablations = _ablation_answers(report)
    more = [report.paragraph("conclusion.ablation_answers"), Bullets(ablations)] if ablations else []
    text = report.paragraph("conclusion.future", table=Ref("future"))
    return report.section(
        "conclusion.heading",
        sections=[
            report.section("conclusion.answers_heading", *answers, *more, id="answers"),
            report.section("conclusion.limits_heading", Bullets(tuple(_limits(report))), id="limits"),
            report.section("conclusion.future_heading", text, TableBlock(future), id="future-work"),
        ],
        slides=[
            report.slide("conclusion", *answers),
            report.slide("future", TableBlock(future.only("direction", "command"))),
        ],
    )


def team(report: Report) -> Section:
    if not report.team:
        option = CodeBlock('python report.py study=... "team=[{name: ..., task: ..., contribution: ...}]"')
        return report.section("team.heading", report.paragraph("team.none"), option)
    rows = [[text or NONE for text in member] for member in report.team]
    table = table_of(report.words, "team", report.line("team.title"), ("name", "task", "contribution"), rows)
    return report.section("team.heading", TableBlock(table), id="contributions")


def references(report: Report) -> Section:
    return report.section("references.heading", Bibliography())


def _answers(report: Report) -> tuple[Text, ...]:
    """Design by design: the difference, its verdict, and the costs as multiples of the baseline's."""
    columns, items = Columns(report.main, report.words), []
    for row in report.main.rows[1:]:
        time = ratio(row.train_s, report.baseline.train_s)
        fields = columns.texts(row, "row", "change", "verdict") | ratios(row, report.baseline)
        key = "conclusion.answer" if time != NONE else "conclusion.answer_short"
        items.append(report.text(key, time_ratio=time, **fields))
    return tuple(items)


def _ablation_answers(report: Report) -> tuple[Text, ...]:
    items = []
    for study in report.ablations:
        if len(study.rows) > 1:
            best = max(study.rows[1:], key=lambda row: summarize(row.values("top1")).mean)
            fields = Columns(study, report.words).texts(best, "row", "change", "verdict")
            fields |= {"name": ablation_name(report, study), "baseline": study.baseline.label}
            items.append(report.text("conclusion.ablation_answer", **fields))
    return tuple(items)


def _limits(report: Report) -> list[Text]:
    own = any(row.own_recipe for row in report.rows())
    items = [report.text("conclusion.limits.own_recipe" if own else "conclusion.limits.one_recipe")]
    _, most = seed_counts(report.rows())
    if most < FEW_SEEDS:
        items.append(report.text("conclusion.limits.seeds"))
    counts = epochs(report.studies)
    if counts and counts[0] < FEW_EPOCHS:
        items.append(report.text("conclusion.limits.epochs", epochs=epoch_text(counts), n=counts[-1]))
    names = data_names(report.studies)
    if len(names) == 1:
        resolution = plain_line(report.main.shared_recipe.get("data.resolution", "?"), 12)
        items.append(report.text("conclusion.limits.data", resolution=resolution))
    if "digits" in names:
        items.append(report.text("conclusion.limits.digits"))
    return items


def _directions(report: Report) -> Table:
    parts = ("title", "text", "command")
    rows = [[report.line(f"conclusion.directions.{each}.{part}") for part in parts] for each in DIRECTIONS]
    title = report.line("conclusion.future_title")
    return table_of(report.words, "future", title, ("direction", "work", "command"), rows)
