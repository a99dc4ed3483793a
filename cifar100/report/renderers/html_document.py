"""A document as one HTML file that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import fields, is_dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup

from cifar100.base.text import printable
from cifar100.report.document.document import (
    Bibliography,
    Cite,
    CodeBlock,
    Document,
    Equation,
    FigureBlock,
    Ref,
    Section,
    TableBlock,
)
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works
from cifar100.report.tables.table import Cell

SHORT = 22  # characters of a cell that are never broken within a word
TEMPLATES = Path(__file__).parent / "templates"


def html_document(document: Document, words: Words) -> str:
    """The whole file. Text is escaped, the style sheet is the only one that the page's security policy admits, and
    equations are MathML."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    view = _View(document, words)
    return _environment().get_template("report.html.j2").render(
        title=printable(document.title),
        language=document.language,
        byline=[printable(line) for line in document.byline],
        short=SHORT,
        contents=words("report.contents"),
        sections=[view.section(section, number) for number, section in document.chapters()],
        style=Markup(style),
        style_hash=Markup(f"sha256-{digest}"),
    )  # fmt: skip


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )


class _View:
    """The document's parts as plain mappings with all numbers filled in: what the template prints."""

    def __init__(self, document: Document, words: Words) -> None:
        self._words = words
        self._numbers = document.numbers()
        self._citations = document.citations()
        self._figures = {figure.id for figure in document.figures()}

    def section(self, section: Section, number: str) -> dict[str, Any]:
        return {
            "id": section.id,
            "title": printable(section.title),
            "number": number,
            "blocks": [self._plain(block) for block in section.blocks],
            "sections": [
                self.section(below, f"{number}.{i}".lstrip(".")) for i, below in enumerate(section.sections, 1)
            ],
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return printable(value)
        if isinstance(value, tuple | list):
            return [self._plain(each) for each in value]
        if not is_dataclass(value):
            return value
        plain = {each.name: self._plain(getattr(value, each.name)) for each in fields(value)}
        return plain | {"kind": type(value).__name__} | self._filled_in(value)

    def _filled_in(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Equation):
            return {"mathml": Markup(convert(value.latex, display="block"))}
        if isinstance(value, CodeBlock):
            return {"text": value.text}  # with its line breaks
        if isinstance(value, FigureBlock):
            kind, picture = ("png", value.png) if value.svg is None else ("svg+xml", value.svg)
            source = f"data:image/{kind};base64,{b64encode(picture).decode()}"
            return {"label": self._label(value.id), "source": source, "svg": None, "png": None}
        if isinstance(value, Cell):
            return {"long": len(value.text) > SHORT}
        if isinstance(value, TableBlock):
            return {"label": self._label(value.table.id)}
        if isinstance(value, Ref):
            return {"label": self._label(value.id)}
        if isinstance(value, Cite):
            return {"number": self._citations[value.key]}
        if isinstance(value, Bibliography):
            return {"works": [load_works()[key] for key in self._citations]}
        return {}

    def _label(self, id: str) -> str:
        key = "report.figure_label" if id in self._figures else "report.table_label"
        return self._words(key, number=self._numbers[id])
