"""From run directories to the report's files: `<study>/report/`, each file written whole or not at all."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.files import remove_temporaries
from cifar100.base.text import one_line, plain_line
from cifar100.record import atomic_write
from cifar100.report.document.chapters import report_document
from cifar100.report.document.report import Report
from cifar100.report.document.words import chinese_label, load_words
from cifar100.report.records.study import Study, read_studies
from cifar100.report.renderers.html_document import html_document
from cifar100.report.renderers.markdown_document import markdown_document
from cifar100.report.renderers.programs import find_browser, find_pandoc, pdf_of, word_document
from cifar100.report.renderers.table_files import csv_text, latex_text

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
        UserError: in one line, what cannot be reported or an option that makes no sense.
        OSError: a file that cannot be written.
    """
    words, wanted, members = load_words(language), _formats(formats), tuple(map(_member, team))
    places = [*_list(study), *_list(ablations)]
    if not _list(study):
        raise UserError("study is missing; name the folder to report, such as study=multirun/main")
    studies = [_localized(each, language) for each in read_studies(places, baseline=baseline, allow_mixed=allow_mixed)]
    folder = report_folder(Path(places[0]))
    names = tuple(plain_line(name, MAX_NAME) for name in _list(authors))
    heading = plain_line(title, MAX_TITLE) if title else None
    report = Report(studies[0], tuple(studies[1:]), words, members, heading, names)
    _write(report, wanted, folder)
    return folder


def report_folder(study: Path) -> Path:
    """Where the report goes. Refuses one that would be written through a link to elsewhere, before the work rather than
    after it."""
    if not study.is_dir():
        raise UserError(f"study={study} must be a folder, in which the report is written; a list may name several")
    for place in (study / "report" / part for part in PARTS):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise UserError(one_line(f"{place} is a link or no folder, so no report is written there; move it away"))
        remove_temporaries(place)
    return study / "report"


def _write(report: Report, formats: Sequence[str], folder: Path) -> None:
    for name, file in _files(report, formats):
        atomic_write(folder / name, file)
        if "/" not in name:
            log.info("%s", folder / name)


def _files(report: Report, formats: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Every file by its name below the report's folder."""
    document, words = report_document(report), report.words
    suffix = "" if words.language == "en" else f"-{words.language}"
    for figure in document.figures():
        yield f"figures/{figure.id}{suffix}.png", figure.png
        if figure.svg is not None:
            yield f"figures/{figure.id}{suffix}.svg", figure.svg
    for table in (block.table for block in document.tables()):
        yield f"tables/{table.id}{suffix}.csv", csv_text(table).encode()
        yield f"tables/{table.id}{suffix}.tex", latex_text(table).encode()
    page = html_document(document, words) if {"html", "pdf"} & set(formats) else ""
    if "html" in formats:
        yield f"report{suffix}.html", page.encode()
    if "md" in formats:
        yield f"report{suffix}.md", markdown_document(document, words, f"figures/{{id}}{suffix}.png").encode()
    if "pptx" in formats:
        from cifar100.report.renderers.deck.deck import pptx_document  # half a second that other formats need not wait

        yield f"slides{suffix}.pptx", pptx_document(document, words)
    if "docx" in formats:
        yield f"report{suffix}.docx", word_document(document, words)
    if "pdf" in formats:  # last: a browser may fail
        yield f"report{suffix}.pdf", pdf_of(page)


def _localized(study: Study, language: str) -> Study:
    """The study with the labels that have a Chinese form in it, where that is the language; no two become alike."""
    labels = {row.label: chinese_label(row.label) for row in study.rows}
    if language != "zh" or len(set(labels.values())) < len(labels):
        return study
    rows = tuple(
        replace(row, label=labels[row.label], identical_to=labels.get(row.identical_to or "", row.identical_to))
        for row in study.rows
    )
    return replace(study, rows=rows, baseline=rows[0])


def _formats(formats: Sequence[str]) -> list[str]:
    wanted = [str(each) for each in _list(formats)]
    if not wanted or set(wanted) - set(FORMATS):
        raise UserError(f"formats=[{','.join(wanted)}] must be some of {', '.join(FORMATS)}")
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
