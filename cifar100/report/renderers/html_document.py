"""A document as one HTML file that needs nothing else: no network, no script, no font."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup, escape

from cifar100.base.text import printable
from cifar100.report.document.document import Document, FigureBlock
from cifar100.report.document.words import Words
from cifar100.report.document.works import load_works

SHORT = 22  # characters of a cell that are never broken within a word
TEMPLATES = Path(__file__).parent / "templates"


def html_document(document: Document, words: Words) -> str:
    """The whole file. Text is escaped, the style sheet is the only one that the page's security policy admits, and
    equations are MathML."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    citations = document.citations()
    return _environment().get_template("report.html.j2").render(
        document=document,
        labels=document.labels(words),
        citations=citations,
        works=[load_works()[key] for key in citations],
        short=SHORT,
        contents=words("report.contents"),
        style=Markup(style),
        style_hash=Markup(f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}"),
    )  # fmt: skip


def _environment() -> Environment:
    """Escapes whatever the template prints, after the last gate for characters that steer a browser."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {
        "kind": lambda node: type(node).__name__,
        "source": _source,
        "mathml": lambda latex: Markup(convert(latex, display="block")),
        "lines": lambda text: Markup("\n").join(escape(printable(line)) for line in text.split("\n")),
    }
    return environment


def _source(figure: FigureBlock) -> str:
    kind, picture = ("png", figure.png) if figure.svg is None else ("svg+xml", figure.svg)
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"
