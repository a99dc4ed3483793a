"""The Word file has the document's headings, tables, equations, figures and texts, and nothing that was not meant."""

import io
import zipfile

import pytest
from lxml import etree
from PIL import Image

from cifar100.report.document.document import (
    Bullets,
    Code,
    Document,
    Equation,
    FigureBlock,
    Paragraph,
    Ref,
    Section,
    TableBlock,
)
from cifar100.report.document.words import load_words
from cifar100.report.renderers import programs as word
from cifar100.report.tables.table import Cell, Table

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
EVIL = "*<script>alert(1)</script>* [x](http://evil.example) ![p](/etc/passwd) $\\input{/etc/passwd}$ `=cmd()`"


@pytest.fixture(scope="module")
def parts():
    try:
        word.find_pandoc()
    except ValueError:
        pytest.skip("needs pandoc")
    picture = io.BytesIO()
    Image.new("RGB", (40, 20), "#88a").save(picture, "png")
    cells = tuple((Cell(f"设计 {i}"), Cell(f"{i}.50", i)) for i in range(9))
    table = Table("main", "主表", ("设计", "准确率"), cells, ("一条注。",), (False, True))
    blocks = (
        Paragraph(("见", Ref("main"), "与", Ref("f"), "：", EVIL, Code("a|b"))), Bullets((("甲",), ("乙",))),
        Equation(r"y = x \odot \sigma(g(x))"), TableBlock(table), FigureBlock("f", "图注", None, picture.getvalue()),
    )  # fmt: skip
    section = Section("one", "结果", (), (Section("two", "主要结果", blocks),))
    document = Document("轻量网络", "zh-Hans", ("甲、乙",), (section,))
    made = word.word_document(document, load_words("zh"))
    assert made == word.word_document(document, load_words("zh")), "equal documents give equal files"
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def texts(element):
    return "".join(element.itertext(f"{W}t"))


def test_structure_is_words_own(parts):
    body = etree.fromstring(parts["word/document.xml"])
    styles = {texts(p): p.find(f"./{W}pPr/{W}pStyle").get(f"{W}val") for p in body.iter(f"{W}p")
              if p.find(f"./{W}pPr/{W}pStyle") is not None}  # fmt: skip
    styles = {text.lstrip("1. "): style for text, style in styles.items()}
    assert styles["轻量网络"] == "Title" and styles["结果"] == "Heading1" and styles["主要结果"] == "Heading2"
    (table,) = body.iter(f"{W}tbl")
    rows = [[texts(cell) for cell in row.iter(f"{W}tc")] for row in table.iter(f"{W}tr")]
    assert rows[0] == ["设计", "准确率"] and rows[3] == ["设计 2", "2.50"] and len(rows) == 10
    assert len(list(body.iter("{*}oMath"))) == 1 and len(list(body.iter("{*}blip"))) == 1
    assert body.find(f".//{W}pgSz").get(f"{W}w") == "11906"
    assert any(name.startswith("word/media/") for name in parts)


def test_text_of_records_stays_text(parts):
    body = etree.fromstring(parts["word/document.xml"])
    assert EVIL.replace("`", "") in texts(body).replace("`", "") and "a|b" in texts(body)
    assert b"evil.example" not in parts["word/_rels/document.xml.rels"]
    assert not list(body.iter(f"{W}hyperlink"))


def test_without_pandoc_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(word.shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "pypandoc", None)
    with pytest.raises(ValueError, match="needs pandoc; install it with: pip install pypandoc_binary"):
        word.find_pandoc()


def test_a_pandoc_that_fails_is_told_in_one_line(monkeypatch, tmp_path):
    failing = tmp_path / "pandoc"
    failing.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(word, "find_pandoc", lambda: str(failing))
    with pytest.raises(ValueError, match="did not make the report .broken."):
        word.word_document(Document("x", "en", (), ()), load_words("en"))
