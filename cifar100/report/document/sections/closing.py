"""Conclusion with limits and future work, contributions, references."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.claims.findings import findings
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bibliography, Bullets, CodeBlock, Ref, Section, TableBlock, Text
from cifar100.report.document.sections.designs import ratios
from cifar100.report.document.sections.results import ablation_name
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, data_names, epoch_text, epochs, seed_counts
from cifar100.report.tables.columns import Columns
from cifar100.report.tables.number_text import NONE, ratio
from cifar100.report.tables.table import Cell, Table

DIRECTIONS = ("attention", "scale", "augment", "search", "data", "explain", "distillation", "quantization", "transfer")


def conclusion(content: Content) -> Section:
    directions = TableBlock(_directions(content))
    future = content.paragraph("conclusion.future", table=Ref("future"))
    answers, ablations = _answers(content), _ablation_answers(content)
    told = [content.paragraph("conclusion.answers", baseline=content.main.baseline.label), answers] if answers else []
    if not told:
        told = [content.paragraph("conclusion.alone")]
    elif not any(each.verdict in ("better", "worse") for each in findings(content.main, content.words)):
        told.append(content.paragraph("conclusion.nothing"))
    on_slide = tuple(told)
    if ablations:
        told += [content.paragraph("conclusion.ablation_answers"), ablations]
    parts = [
        content.heading("conclusion.answers_heading", *told, id="answers"),
        content.heading("conclusion.limits_heading", Bullets(tuple(_limits(content))), id="limits"),
        content.heading("conclusion.future_heading", future, directions, id="future-work"),
    ]
    slides = [
        content.slide("conclusion", "slide.conclusion", *on_slide),
        content.slide("future", "slide.future", TableBlock(directions.table.only("direction", "entry"))),
    ]
    return content.heading("conclusion.heading", sections=parts, slides=slides)


def team(content: Content) -> Section:
    if not content.team:
        option = CodeBlock('python report.py study=... "team=[{name: ..., task: ..., contribution: ...}]"')
        return content.heading("team.heading", content.paragraph("team.none"), option)
    keys = ("name", "task", "contribution")
    rows = tuple(tuple(Cell(text or NONE) for text in member) for member in content.team)
    columns = tuple(content.line(f"team.{key}") for key in keys)
    table = Table("team", content.line("team.title"), columns, rows, keys=keys)
    return content.heading("team.heading", TableBlock(table), id="contributions")


def references(content: Content) -> Section:
    return content.heading("references.heading", Bibliography())


def _answers(content: Content) -> Bullets | None:
    """Design by design: the difference, its verdict, and the costs as multiples of the baseline's."""
    study, base, items = content.main, content.main.baseline, []
    table = Columns(study, content.words).table("", "", ("change", "verdict"))
    for row, (change, verdict) in zip(study.rows[1:], table.rows[1:], strict=True):
        fields = {"row": row.label, "change": change.text, "verdict": verdict.text, **ratios(row, base)}
        time = ratio(row.train_s, base.train_s)
        key = "conclusion.answer" if time != NONE else "conclusion.answer_short"
        items.append(content.text(key, **fields, **({"time_ratio": time} if time != NONE else {})))
    return Bullets(tuple(items)) if items else None


def _ablation_answers(content: Content) -> Bullets | None:
    items = []
    for study in content.ablations:
        if len(study.rows) == 1:
            continue
        table = Columns(study, content.words).table("", "", ("change", "verdict"))
        best = max(range(1, len(study.rows)), key=lambda place: summarize(study.rows[place].values("top1")).mean)
        fields = {"row": study.rows[best].label, "baseline": study.baseline.label}
        fields |= {name: cell.text for name, cell in zip(("change", "verdict"), table.rows[best], strict=True)}
        items.append(content.text("conclusion.ablation_answer", name=ablation_name(content, study), **fields))
    return Bullets(tuple(items)) if items else None


def _limits(content: Content) -> list[Text]:
    studies, items = content.studies, []
    own = any(row.own_recipe for row in content.rows())
    items.append(content.text("conclusion.limits.own_recipe" if own else "conclusion.limits.one_recipe"))
    _, most = seed_counts(content.rows())
    if most < FEW_SEEDS:
        items.append(content.text("conclusion.limits.seeds"))
    counts = epochs(studies)
    if counts and counts[0] < FEW_EPOCHS:
        items.append(content.text("conclusion.limits.epochs", epochs=epoch_text(counts), n=counts[-1]))
    names = data_names(studies)
    if len(names) == 1:
        resolution = plain_line(content.main.shared_recipe.get("data.resolution", "?"), 12)
        items.append(content.text("conclusion.limits.data", resolution=resolution))
    if "digits" in names:
        items.append(content.text("conclusion.limits.digits"))
    return items


def _directions(content: Content) -> Table:
    keys, rows = ("direction", "work", "entry"), []
    for each in DIRECTIONS:
        title, text, command = (
            content.line(f"conclusion.directions.{each}.{part}") for part in ("title", "text", "command")
        )
        rows.append((Cell(title), Cell(text), Cell(command or content.line("conclusion.not_yet"))))
    columns = tuple(content.line(f"conclusion.{key}") for key in keys)
    return Table("future", content.line("conclusion.future_title"), columns, tuple(rows), keys=keys)
