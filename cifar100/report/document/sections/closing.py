"""Limits, conclusion, references, and the appendix of all runs."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.claims.findings import Finding, findings, tally
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bibliography, Block, Bullets, Code, Paragraph, Section, TableBlock, Text
from cifar100.report.document.sections.opening import seeds_text
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, data_names, epoch_text, epochs, seed_counts
from cifar100.report.tables.appendix import runs_table
from cifar100.report.tables.number_text import count


def limits(content: Content) -> Section:
    studies = content.studies
    mixed = not all(study.one_recipe for study in studies)
    items: list[Text] = [content.text("limits.mixed_recipe" if mixed else "limits.one_recipe")]
    _, most = seed_counts(content.rows())
    if most < FEW_SEEDS:
        rows = tuple(content.rows())
        items.append(content.text("limits.seeds", rows=len(rows), seeds=seeds_text(content, rows)))
    counts = epochs(studies)
    if counts and counts[0] < FEW_EPOCHS:
        items.append(content.text("limits.epochs", epochs=epoch_text(counts), n=counts[-1]))
    names = data_names(studies)
    if len(names) == 1:
        resolution = plain_line(content.main.shared_recipe.get("data.resolution", "?"), 12)
        items.append(content.text("limits.data", resolution=resolution))
    items += [content.text("limits.selection"), content.text("limits.costs")]
    if "digits" in names:
        items.append(content.text("limits.digits"))
    return content.heading("limits.heading", Bullets(tuple(items)))


def conclusion(content: Content) -> Section:
    found = findings(content.main, content.words)
    if not found:
        return content.heading("conclusion.heading", content.paragraph("conclusion.alone"))
    better = [each.row.label for each in found if each.verdict == "better"]
    decided = any(each.verdict in ("better", "worse") for each in found)
    blocks: list[Block] = [
        content.paragraph("conclusion.found", baseline=content.main.baseline.label),
        Bullets(tuple((sentence,) for sentence in tally(found, content.words))),
    ]
    if not decided:
        blocks.append(content.paragraph("conclusion.nothing"))
    if better:
        fields = {"rows": content.listed(better), "baseline": content.main.baseline.label, "n": len(better)}
        blocks.append(content.paragraph("conclusion.some_better", **fields))
    return content.heading("conclusion.heading", *blocks, _next(content, found))


def references(content: Content) -> Section:
    return content.heading("references.heading", Bibliography())


def appendix(content: Content) -> Section:
    blocks: list[Block] = [content.paragraph("appendix.text")]
    for number, study in enumerate(content.studies):
        id = "runs" if number == 0 else f"runs-{number}"
        blocks.append(TableBlock(runs_table(study, content.words, id=id), small=True))
    blocks.append(Paragraph(content.text("appendix.commands", file=Code("config.yaml"))))
    return content.heading("appendix.heading", *blocks)


def _next(content: Content, found: tuple[Finding, ...]) -> Paragraph | None:
    """The open difference that would take the fewest seeds to decide."""
    open_ones = [each for each in found if each.seeds_needed is not None]
    if not open_ones:
        return None
    easiest = min(open_ones, key=lambda each: each.seeds_needed or 0)
    return content.paragraph("conclusion.next", n=count(easiest.seeds_needed or 0), row=easiest.row.label)
