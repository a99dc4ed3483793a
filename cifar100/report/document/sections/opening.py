"""Summary and introduction, and what a reader must know before any number."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.claims.findings import findings, tally
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Inline, Notice, Ref, Section, Text
from cifar100.report.document.sections.tradeoff import front_sentences
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, data_names, epoch_text, epochs, is_dirty, seed_counts
from cifar100.report.records.row import Row
from cifar100.report.tables.number_text import count, percent


def summary(content: Content) -> Section:
    rows = content.main.rows
    items: list[Text] = [_scope(content), baseline_text(content)]
    if len(rows) == 1:
        items.append(content.text("summary.nothing_to_compare"))
    else:
        items += [(sentence,) for sentence in tally(findings(content.main, content.words), content.words)]
        items += [_highest(content), *((sentence,) for sentence in front_sentences(content)[:1])]
    if content.ablations:
        items.append(content.text("summary.ablations", n=len(content.ablations)))
    return content.heading("summary.heading", *notices(content), Bullets(tuple(items)))


def introduction(content: Content) -> Section:
    members = [content.text("team_member", name=name, part=part) if part else (name,) for name, part in content.team]
    mixed = not all(study.one_recipe for study in content.studies)
    team = Section("team", content.line("introduction.team"), (Bullets(tuple(members)),))
    return content.heading(
        "introduction.heading",
        content.paragraph("introduction.question", data=data_title(content)),
        content.paragraph("introduction.composition_mixed" if mixed else "introduction.composition"),
        content.paragraph("introduction.traceable", table=Ref("runs")),
        sections=[team] if content.team else [],
    )


def notices(content: Content) -> list[Notice]:
    """What limits every number below, said before the first."""
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
    names = data_names(content.studies)
    return content.listed([_data_name(content, name) for name in names])


def highest(content: Content) -> Row | None:
    """The row with the highest mean top-1 beside the baseline and what is identical to it; None where there is none."""
    others = [row for row in content.main.rows[1:] if row.identical_to != content.main.baseline.label]
    return max(others, key=lambda row: summarize(row.values("top1")).mean, default=None)


def seeds_text(content: Content, rows: tuple[Row, ...]) -> str:
    low, high = seed_counts(rows)
    if low == high:
        return content.line("summary.seeds", n=low)
    return content.line("summary.seeds_range", low=low, high=high)


def _scope(content: Content) -> Text:
    rows, counts = content.main.rows, epochs([content.main])
    return content.text(
        "summary.scope",
        rows=len(rows),
        data=data_title(content),
        runs=len(content.main.runs),
        epochs=epoch_text(counts),
        n=counts[-1] if counts else 0,
        seeds=seeds_text(content, rows),
    )


def baseline_text(content: Content) -> Text:
    """What the baseline reaches, and at which size."""
    row = content.main.baseline
    costs = {"parameters": count(row.parameters), "macs": f"{row.macs / 1e6:,.1f}"}
    return content.text("summary.baseline", **content.top1(row), **costs)


def _highest(content: Content) -> tuple[Inline, ...]:
    best = highest(content)
    baseline = summarize(content.main.baseline.values("top1")).mean
    if best is None or percent(summarize(best.values("top1")).mean) == percent(baseline):
        return content.text("summary.highest_is_baseline")
    if summarize(best.values("top1")).mean < baseline:
        return content.text("summary.highest_is_baseline")
    return content.text("summary.highest", **content.top1(best), table=Ref("main"))


def _data_name(content: Content, name: str) -> str:
    key = f"report.data_name.{name}"
    return content.words(key) if content.words.has(key) else name
