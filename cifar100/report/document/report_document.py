"""The whole report of a study as a document."""

from __future__ import annotations

from cifar100.report.document.content import Content
from cifar100.report.document.document import Document
from cifar100.report.document.sections.appendix import appendix
from cifar100.report.document.sections.baseline import baseline
from cifar100.report.document.sections.closing import conclusion, references, team
from cifar100.report.document.sections.designs import background, methods
from cifar100.report.document.sections.front import abstract, data_title, introduction
from cifar100.report.document.sections.innovation import innovation
from cifar100.report.document.sections.results import results
from cifar100.report.document.sections.setup import setup
from cifar100.report.records.facts import newest

TAGS = {"en": "en", "zh": "zh-Hans"}
CHAPTERS = (
    abstract, introduction, background, baseline, methods, setup, results, innovation, conclusion, team, references,
    appendix,
)  # fmt: skip


def report_document(content: Content) -> Document:
    """Every chapter in order, its figures drawn; the studies of `content` are all that is looked at."""
    names = content.authors or [name for name, *_ in content.team]
    byline = [content.listed(list(names))] if names else []
    date = newest(content.studies)
    if date is not None:
        byline.append(content.line("state", date=date, study=content.main.name))
    return Document(
        title=content.title or content.line("title", data=data_title(content)),
        language=TAGS[content.words.language],
        byline=tuple(byline),
        sections=tuple(chapter(content) for chapter in CHAPTERS),
    )
