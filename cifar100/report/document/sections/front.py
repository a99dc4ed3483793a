"""Abstract and introduction, and what a reader must know before any number."""

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import findings, tally
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Bullets, Notice, Paragraph, Section
from cifar100.report.document.report import Report, costs
from cifar100.report.document.sections.designs import all_methods
from cifar100.report.records.provenance import (
    FEW_EPOCHS,
    FEW_SEEDS,
    data_names,
    epoch_text,
    epochs,
    is_dirty,
    seed_counts,
)  # fmt: skip
from cifar100.report.records.study import Row
from cifar100.report.tables.number_text import percent


def abstract(report: Report) -> Section:
    study, counts = report.main, epochs([report.main])
    low, high = seed_counts(study.rows)
    fields = {
        "baseline": study.baseline.label,
        "data": data_title(report),
        "rows": len(study.rows),
        "runs": len(study.runs),
        "epochs": epoch_text(counts),
        "n": counts[-1] if counts else 0,
        "seeds": report.line("abstract.seeds" if low == high else "abstract.seeds_range", n=low, low=low, high=high),
    }
    sentences = [report.line("abstract.baseline", **report.top1(study.baseline), **costs(study.baseline))]
    if len(study.rows) > 1:
        sentences += [*tally(findings(study), report.words), _highest(report)]
    if report.ablations:
        sentences.append(report.line("abstract.ablations", n=len(report.ablations)))
    return report.section(
        "abstract.heading",
        report.paragraph("abstract.scope" if len(study.rows) > 1 else "abstract.alone", **fields),
        *notices(report),
        Paragraph((report.sentences(sentences),)),
        numbered=False,
    )


def introduction(report: Report) -> Section:
    hybrids = any(method.hybrid for method in all_methods(report))
    asked = ["designs", "parts", *(["hybrids"] if hybrids else [])]
    questions = (
        report.paragraph("introduction.questions"),
        Bullets(tuple(report.text(f"introduction.question_{each}") for each in asked)),
    )
    goal = report.paragraph("slide.question", baseline=report.baseline.label)
    return report.section(
        "introduction.heading",
        report.paragraph("introduction.motivation", data=data_title(report)),
        *questions,
        report.paragraph("introduction.outline"),
        report.paragraph("introduction.traceable"),
        slides=[report.slide("background", goal, *questions)],
    )


def notices(report: Report) -> list[Notice]:
    """The limits of every number below, named before the first table."""
    found, studies = [], report.studies
    if "digits" in data_names(studies):
        found.append(report.notice("notice.digits"))
    counts = epochs(studies)
    if counts and counts[0] < FEW_EPOCHS:
        found.append(report.notice("notice.few_epochs", epochs=epoch_text(counts), n=counts[-1]))
    _, most = seed_counts(report.rows())
    if most < FEW_SEEDS:
        found.append(report.notice("notice.few_seeds", n=most))
    mixed = dict.fromkeys(plain_line(key, 60) for study in studies for key in study.mixed)
    if mixed:
        found.append(report.notice("notice.mixed", keys=report.listed(mixed)))
    left_out = sum(len(study.left_out) for study in studies)
    if left_out:
        found.append(report.notice("notice.left_out", n=left_out))
    dirty = dict.fromkeys(row.label for row in report.rows() if any(map(is_dirty, row.runs)))
    if dirty:
        found.append(report.notice("notice.dirty", rows=report.listed(dirty)))
    return found


def data_title(report: Report) -> str:
    """The data sets as the report calls them: digits are digits."""
    return report.listed(report.known(f"data_name.{name}") or name for name in data_names(report.studies))


def highest(report: Report) -> Row | None:
    """The row with the highest mean top-1 beside the baseline and what is identical to it; None where there is none."""
    others = [row for row in report.main.rows[1:] if row.identical_to != report.baseline.label]
    return max(others, key=lambda row: summarize(row.values("top1")).mean, default=None)


def _highest(report: Report) -> str:
    best = highest(report)
    baseline = percent(summarize(report.baseline.values("top1")).mean)
    if best is None or float(percent(summarize(best.values("top1")).mean)) <= float(baseline):
        return report.line("abstract.highest_is_baseline")
    return report.line("abstract.highest", **report.top1(best))
