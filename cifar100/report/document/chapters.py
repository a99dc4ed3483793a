"""The whole report of a study as a document."""

from cifar100.report.document.document import Document
from cifar100.report.document.report import Report
from cifar100.report.document.sections.appendix import appendix
from cifar100.report.document.sections.closing import conclusion, references, team
from cifar100.report.document.sections.deployment import deployment
from cifar100.report.document.sections.designs import background, baseline, methods
from cifar100.report.document.sections.front import abstract, data_title, introduction
from cifar100.report.document.sections.innovation import innovation
from cifar100.report.document.sections.results import results
from cifar100.report.document.sections.setup import setup
from cifar100.report.records.provenance import newest

TAGS = {"en": "en", "zh": "zh-Hans"}
CHAPTERS = (
    abstract, introduction, background, baseline, methods, setup, results, innovation, deployment, conclusion, team,
    references, appendix,
)  # fmt: skip


def report_document(report: Report) -> Document:
    """Every chapter in order, its figures drawn; the studies of `report` are all that is looked at."""
    names = report.authors or [name for name, *_ in report.team]
    byline = [report.listed(names)] if names else []
    date = newest(report.studies)
    if date is not None:
        byline.append(report.line("state", date=date, study=report.main.name))
    return Document(
        title=report.title or report.line("title", data=data_title(report)),
        language=TAGS[report.words.language],
        byline=tuple(byline),
        sections=tuple(section for chapter in CHAPTERS if (section := chapter(report)) is not None),
    )
