"""The HTML report stands alone, and nothing in a record becomes markup."""

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from cifar100.report.document.document import (
    Bullets,
    Code,
    Document,
    Equation,
    FigureBlock,
    Paragraph,
    Section,
    TableBlock,
)
from cifar100.report.document.words import load_words
from cifar100.report.renderers.html_document import html_document
from cifar100.report.renderers.markdown_document import markdown_document
from cifar100.report.tables.table import Cell, Table

WORDS = load_words("en")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
EVIL = [
    "<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>', "=cmd|'/C calc'!A0",
    "a | b", "`code` ``` $x$ **bold** _it_ [l](javascript:alert(1)) ![i](x)", "\\input{/etc/passwd}", "x" * 500,
    "\u202egnp.exe\u202c \u2066a\u2069 \x1b[31m\x00", "{{ 7*7 }} {% raw %}", "&lt;b&gt; &amp;",
    "http://a.example @someone",
]  # fmt: skip
VOID = {"meta", "link", "img", "br", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; every element must be closed in turn."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = [], [], [], []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attributes]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def document_of(text):
    table = Table("t", text, (text, "n"), ((Cell(text, note=text), Cell("1")),), notes=(text,), numeric=(False, True))
    blocks = (
        Paragraph((text, Code(text))), Bullets(((text,),)), TableBlock(table), FigureBlock("f", text, SVG, b""),
        Equation(r"y = \phi(x)"),
    )  # fmt: skip
    return Document(text, "en", (text,), (Section("s", text, blocks, (Section("u", text, ()),)),))


def without_steering(text):
    return re.sub("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", "", text)


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_text_stays_text(text):
    page = html_document(document_of(text), WORDS)
    parsed, harmless = Page(page), Page(html_document(document_of("harmless"), WORDS))
    assert parsed.tags == harmless.tags, "no element of its own"
    assert {each[:2] for each in parsed.attributes} <= {*(each[:2] for each in harmless.attributes), ("td", "class"),
                                                         ("th", "class")}  # fmt: skip
    shown = "".join(parsed.texts)
    assert shown.count(without_steering(text)) >= 9
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", page)


def test_the_page_needs_nothing_else():
    page = html_document(document_of("plain"), WORDS)
    parsed = Page(page)
    assert "script" not in parsed.tags and "iframe" not in parsed.tags
    loaded = [value for _, name, value in parsed.attributes if name in ("src", "data", "srcset", "style")]
    assert loaded and all(value.startswith("data:image/svg+xml;base64,") for value in loaded)
    assert b64decode(loaded[0].partition(",")[2]) == SVG
    assert not re.search(r"url\(|@import|https?:", re.search(r"<style>(.*)</style>", page, re.DOTALL)[1])
    links = [value for tag, name, value in parsed.attributes if (tag, name) == ("a", "href")]
    ids = {value for _, name, value in parsed.attributes if name == "id"}
    assert all(link[1:] in ids for link in links if link.startswith("#"))
    assert ("html", "lang", "en") in parsed.attributes and "math" in parsed.tags


def test_the_policy_admits_the_style_sheet_and_nothing_else():
    page = html_document(document_of("plain"), WORDS)
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)[1]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in re.search(r'Policy" content="([^"]*)"', page)[1].split("; "))
    assert policy["default-src"] == "'none'" and policy["img-src"] == "data:"
    assert policy["style-src"] == f"'sha256-{digest}'"


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_markdown_stays_text(text):
    """Rendered by a CommonMark parser with GitHub's tables and links, the text is what it was."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown = markdown_document(document_of(text), WORDS)
    parsed, harmless = (
        Page(parser.render(each)) for each in (markdown, markdown_document(document_of("harmless"), WORDS))
    )
    assert parsed.tags == harmless.tags
    shown = " ".join("".join(parsed.texts).split())
    assert shown.count(" ".join(without_steering(text).split())) >= 8
    assert not re.search(r"(?<!\\):(?=//(?!arxiv))|(?<!\\)@", re.sub(r"`.*`|!?\[.*?\]\(.*?\)", "", markdown))


def test_equations_and_figures_in_markdown():
    markdown = markdown_document(document_of("plain"), WORDS, "figures/{id}-zh.png")
    assert (
        "```math\ny = \\phi(x)\n```" in markdown
        and "](figures/f-zh.png)" in markdown
        and "**Figure 1.** plain" in markdown
    )
