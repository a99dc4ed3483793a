"""From run directories to the report's files: `<study>/report/`, each file written whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.files import remove_temporaries
from cifar100.base.text import one_line, plain_line
from cifar100.record import atomic_write
from cifar100.report.document.content import Content
from cifar100.report.document.document import Document
from cifar100.report.document.labels import localized
from cifar100.report.document.report_document import report_document
from cifar100.report.document.words import Words, load_words
from cifar100.report.records.studies import read_studies
from cifar100.report.renderers.browser import find_browser, pdf_of
from cifar100.report.renderers.csv_table import csv_text
from cifar100.report.renderers.html_document import html_document
from cifar100.report.renderers.latex_table import latex_text
from cifar100.report.renderers.markdown_document import markdown_document
from cifar100.report.renderers.word_document import find_pandoc, word_document

PARTS = ("", "figures", "tables")
FORMATS = ("html", "md", "docx", "pdf", "pptx")
MAX_TITLE, MAX_NAME, MAX_PART, MAX_CONTRIBUTION = 200, 80, 160, 600

log = logging.getLogger(__name__)


def build_report(
    study: str | Sequence[str] | None,
    *,
    baseline: str | None = None,
    ablations: str | Sequence[str] = (),
    language: str = "en",
    formats: Sequence[str] = ("html", "md", "pptx"),
    allow_mixed: bool = False,
    title: str | None = None,
    authors: Sequence[str] = (),
    team: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Reads the studies, builds the report and writes its files; returns their folder.

    Args:
        study: the folder of the main comparison, or several, of which those after the first are ablations.
        baseline: label of the main comparison's row that the others are compared with; null finds it.
        ablations: folders of further tables, each with a baseline of its own.
        language: en or zh; the names of Chinese files end in -zh.
        formats: of html, md, docx, pdf and pptx. Figures and tables are always written as files, too.
        allow_mixed: compare rows of different recipes, and say so.
        title: of the report; null names the data set.
        authors: names under the title.
        team: `{name: ..., task: ..., contribution: ...}` of each member.

    Raises:
        ValueError: in one line, what cannot be reported or an option that makes no sense.
        OSError: a file that cannot be written.
    """
    words = load_words(language)
    wanted = _formats(formats)
    members = [_member(each) for each in team]
    places = [*_list(study), *_list(ablations)]
    if not _list(study):
        raise UserError("study is missing; name the folder to report, such as study=multirun/main")
    folder = Path(places[0])
    studies = read_studies(places, baseline=baseline, allow_mixed=allow_mixed)
    studies = tuple(localized(study, language) for study in studies)
    if not folder.is_dir():
        raise UserError(f"study={folder} must be a folder, in which the report is written; a list may name several")
    _check_places(folder)
    content = Content(
        main=studies[0],
        ablations=studies[1:],
        words=words,
        team=tuple(members),
        title=plain_line(title, MAX_TITLE) if title else None,
        authors=tuple(plain_line(name, MAX_NAME) for name in _list(authors)),
    )
    suffix = "" if language == "en" else f"-{language}"
    for part in PARTS:
        remove_temporaries(folder / "report" / part)
    for name, file in _files(content, wanted, suffix):
        atomic_write(folder / "report" / name, file)
        if "/" not in name:
            log.info("%s", folder / "report" / name)
    return folder / "report"


def _check_places(folder: Path) -> None:
    """Refuses a report that would be written through a link to elsewhere, before the work rather than after it."""
    for part in PARTS:
        place = folder / "report" / part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise UserError(one_line(f"{place} is a link or no folder, so no report is written there; move it away"))


def _files(content: Content, formats: Sequence[str], suffix: str) -> Iterator[tuple[str, bytes]]:
    """Every file by its name below the report's folder."""
    document = report_document(content)
    yield from _figures_and_tables(document, suffix)
    page = html_document(document, content.words) if {"html", "pdf"} & set(formats) else ""
    if "html" in formats:
        yield f"report{suffix}.html", page.encode()
    if "md" in formats:
        path = f"figures/{{id}}{suffix}.png"
        yield f"report{suffix}.md", markdown_document(document, content.words, path).encode()
    if "pptx" in formats:
        yield f"slides{suffix}.pptx", _deck(document, content.words)
    if "docx" in formats:
        yield f"report{suffix}.docx", word_document(document, content.words)
    if "pdf" in formats:  # last: a browser may fail
        yield f"report{suffix}.pdf", pdf_of(page)


def _figures_and_tables(document: Document, suffix: str) -> Iterator[tuple[str, bytes]]:
    for figure in document.figures():
        yield f"figures/{figure.id}{suffix}.png", figure.png
        if figure.svg is not None:
            yield f"figures/{figure.id}{suffix}.svg", figure.svg
    for block in document.tables():
        yield f"tables/{block.table.id}{suffix}.csv", csv_text(block.table).encode()
        yield f"tables/{block.table.id}{suffix}.tex", latex_text(block.table).encode()


def _deck(document: Document, words: Words) -> bytes:
    from cifar100.report.renderers.deck.deck import pptx_document  # half a second that other formats need not wait

    return pptx_document(document, words)


def _formats(formats: Sequence[str]) -> list[str]:
    wanted = [str(each) for each in _list(formats)]
    unknown = [each for each in wanted if each not in FORMATS]
    if unknown or not wanted:
        given = ",".join(wanted)
        raise UserError(f"formats=[{given}] must be some of {', '.join(FORMATS)}")
    # Before the work rather than after it.
    if "pdf" in wanted:
        find_browser()
    if "docx" in wanted:
        find_pandoc()
    return wanted


def _member(member: Any) -> tuple[str, str, str]:
    keys = {"name": MAX_NAME, "task": MAX_PART, "contribution": MAX_CONTRIBUTION}
    if not isinstance(member, Mapping) or not member.get("name") or set(member) - set(keys):
        raise UserError(f"team has {str(member)[:80]!r}; each member is {{name: ..., task: ..., contribution: ...}}")
    name, task, contribution = (plain_line(member.get(key) or "", most) for key, most in keys.items())
    return name, task, contribution


def _list(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str | Path) else list(value)
