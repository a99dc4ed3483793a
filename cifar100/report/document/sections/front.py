"""Abstract and introduction, and what a reader must know before any number."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.base.text import plain_line
from cifar100.report.claims.findings import findings, tally
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Notice, Paragraph, Section
from cifar100.report.document.sections.designs import all_methods
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, data_names, epoch_text, epochs, is_dirty, seed_counts
from cifar100.report.records.row import Row
from cifar100.report.tables.number_text import count, millions, percent


def abstract(content: Content) -> Section:
    study, counts = content.main, epochs([content.main])
    fields = {
        "baseline": study.baseline.label,
        "data": data_title(content),
        "rows": len(study.rows),
        "runs": len(study.runs),
        "epochs": epoch_text(counts),
        "n": counts[-1] if counts else 0,
        "seeds": _seeds(content, study.rows),
    }
    sentences = [baseline_line(content)]
    if len(study.rows) > 1:
        sentences += [*tally(findings(study, content.words), content.words), _highest(content)]
    if content.ablations:
        sentences.append(content.line("abstract.ablations", n=len(content.ablations)))
    return content.heading(
        "abstract.heading",
        content.paragraph("abstract.scope" if len(study.rows) > 1 else "abstract.alone", **fields),
        *notices(content),
        joined(content, sentences),
        numbered=False,
    )


def introduction(content: Content) -> Section:
    data = data_title(content)
    hybrids = any(method.hybrid for method in all_methods(content))
    questions = ["designs", "parts", *(["hybrids"] if hybrids else [])]
    asked = Bullets(tuple(content.text(f"introduction.question_{each}") for each in questions))
    goal = content.paragraph("slide.question", baseline=content.main.baseline.label)
    blocks = [content.paragraph("introduction.questions"), asked]
    return content.heading(
        "introduction.heading",
        content.paragraph("introduction.motivation", data=data),
        *blocks,
        content.paragraph("introduction.outline"),
        content.paragraph("introduction.traceable"),
        slides=[content.slide("background", "slide.background", goal, *blocks)],
    )


def notices(content: Content) -> list[Notice]:
    """What limits every number below, said before the first table."""
    found, studies = [], content.studies
    if "digits" in data_names(studies):
        found.append(content.notice("notice.digits"))
    counts = epochs(studies)
    if counts and counts[0] < FEW_EPOCHS:
        found.append(content.notice("notice.few_epochs", epochs=epoch_text(counts), n=counts[-1]))
    _, most = seed_counts(content.rows())
    if most < FEW_SEEDS:
        found.append(content.notice("notice.few_seeds", n=most))
    mixed = [plain_line(key, 60) for study in studies for key in study.mixed]
    if mixed:
        found.append(content.notice("notice.mixed", keys=content.listed(list(dict.fromkeys(mixed)))))
    left_out = sum(len(study.left_out) for study in studies)
    if left_out:
        found.append(content.notice("notice.left_out", n=left_out))
    dirty = [row.label for row in content.rows() if any(map(is_dirty, row.runs))]
    if dirty:
        found.append(content.notice("notice.dirty", rows=content.listed(list(dict.fromkeys(dirty)))))
    return found


def data_title(content: Content) -> str:
    """The data sets as the report calls them: digits are digits."""
    keys = {name: f"report.data_name.{name}" for name in data_names(content.studies)}
    return content.listed([content.words(key) if content.words.has(key) else name for name, key in keys.items()])


def highest(content: Content) -> Row | None:
    """The row with the highest mean top-1 beside the baseline and what is identical to it; None where there is none."""
    others = [row for row in content.main.rows[1:] if row.identical_to != content.main.baseline.label]
    return max(others, key=lambda row: summarize(row.values("top1")).mean, default=None)


def joined(content: Content, sentences: Sequence[str]) -> Paragraph:
    return Paragraph((content.words("findings.space").join(sentences),))


def baseline_line(content: Content) -> str:
    """What the baseline reaches, and at which size."""
    row = content.main.baseline
    costs = {"parameters": count(row.parameters), "macs": millions(row.macs)}
    return content.line("abstract.baseline", **content.top1(row), **costs)


def _highest(content: Content) -> str:
    best = highest(content)
    baseline = percent(summarize(content.main.baseline.values("top1")).mean)
    if best is None or float(percent(summarize(best.values("top1")).mean)) <= float(baseline):
        return content.line("abstract.highest_is_baseline")
    return content.line("abstract.highest", **content.top1(best))


def _seeds(content: Content, rows: Sequence[Row]) -> str:
    low, high = seed_counts(rows)
    if low == high:
        return content.line("abstract.seeds", n=low)
    return content.line("abstract.seeds_range", low=low, high=high)
