"""What the report concludes and where it sees its limits: the deck says it in the same sentences."""

from __future__ import annotations

from cifar100.report.claims.findings import findings, tally
from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Cite, Code, Paragraph, Ref, Section, Strong, Text
from cifar100.report.document.sections.closing import conclusion
from cifar100.report.document.sections.front import baseline_line
from cifar100.report.records.commit import commits
from cifar100.report.records.facts import is_dirty
from cifar100.report.records.study import Study
from cifar100.report.renderers.slides.material import Material
from cifar100.report.tables.table_notes import machines

MOST_ABLATIONS = 4
MOST_NAMED = 4


def conclusion_lines(material: Material) -> list[tuple[str, bool]]:
    """Sentences, each with whether it is an item of a list under the one before."""
    said = [(baseline_line(_content(material)), False), *_lines(conclusion(_content(material)).sections[0])]
    for study in material.ablations[:MOST_ABLATIONS]:
        said.append((material.t("conclusion.ablation", name=study.name, text=_tally(material, study)), False))
    if len(material.ablations) > MOST_ABLATIONS:
        said.append((material.t("conclusion.more_ablations", n=len(material.ablations) - MOST_ABLATIONS), False))
    return said


def limit_lines(material: Material) -> list[str]:
    """The report's, then what the records say of machines and versions."""
    said = [text for text, _ in _lines(conclusion(_content(material)).sections[1])]
    found = machines(material.study, material.words)
    key = "limits.machine" if len(found) == 1 else "limits.machines"
    said.append(material.t(key, names=material.named(found, MOST_NAMED)))
    return [*said, *_versions(material)]


def _tally(material: Material, study: Study) -> str:
    said = tally(findings(study, material.words), material.words)
    return material.words("findings.space").join(said) or material.t("conclusion.ablation_alone")


def _versions(material: Material) -> list[str]:
    runs = [run for study in (material.study, *material.ablations) for run in study.runs]
    count = len(commits(runs))
    lines = [material.t("limits.commits", n=count)] if count > 1 else []
    return lines + [material.t("limits.dirty")] * any(map(is_dirty, runs))


def _content(material: Material) -> Content:
    return Content(material.study, material.ablations, material.words)


def _lines(section: Section) -> list[tuple[str, bool]]:
    lines: list[tuple[str, bool]] = []
    for block in section.blocks:
        if isinstance(block, Bullets):
            lines += [(_flat(item), True) for item in block.items]
        elif isinstance(block, Paragraph):
            lines.append((_flat(block.text), False))
    return lines


def _flat(text: Text) -> str:
    """Without mentions of figures and sources, which a slide does not have."""
    parts = [part.text if isinstance(part, Code | Strong) else part for part in text]
    return "".join(str(part) for part in parts if not isinstance(part, Ref | Cite))
