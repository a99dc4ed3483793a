"""The whole report of a study as a document."""

from __future__ import annotations

from cifar100.report.document.content import Content
from cifar100.report.document.document import Document, Section
from cifar100.report.document.sections.classes import classes
from cifar100.report.document.sections.closing import appendix, conclusion, limits, references
from cifar100.report.document.sections.curves import curves
from cifar100.report.document.sections.methods import data_and_methods
from cifar100.report.document.sections.opening import data_title, introduction, summary
from cifar100.report.document.sections.results import ablations, results, setup
from cifar100.report.document.sections.tradeoff import tradeoff
from cifar100.report.records.facts import newest

TAGS = {"en": "en", "zh": "zh-Hans"}
SECTIONS = (
    summary, introduction, data_and_methods, setup, results, tradeoff, ablations, curves, classes, limits, conclusion,
    references, appendix,
)  # fmt: skip


def report_document(content: Content) -> Document:
    """Every section in order, its figures drawn; the studies of `content` are all that is looked at."""
    built = [section(content) for section in SECTIONS]
    byline = [content.listed(list(content.authors))] if content.authors else []
    date = newest(content.studies)
    if date is not None:
        byline.append(content.line("state", date=date, study=content.main.name))
    return Document(
        title=content.title or content.line("title", data=data_title(content)),
        language=TAGS[content.words.language],
        byline=tuple(byline),
        sections=tuple(section for section in built if isinstance(section, Section)),
    )
