"""The deck renders a document's slides: in order, within their boxes, in sizes that can be read when projected."""

import io
import re
import shutil
import subprocess
import zipfile
from xml.etree import ElementTree

import pytest
from lxml import etree
from PIL import Image
from pptx import Presentation
from pptx.util import Emu, Pt

from cifar100.report.document.document import (
    PARTS,
    Bullets,
    Cite,
    Document,
    Equation,
    FigureBlock,
    Notice,
    Paragraph,
    Ref,
    Section,
    Slide,
    Strong,
    TableBlock,
)  # fmt: skip
from cifar100.report.document.words import load_words
from cifar100.report.document.works import method_entries
from cifar100.report.renderers.deck.deck import MOST, pptx_document
from cifar100.report.renderers.deck.fit import count_lines, shortened, text_width
from cifar100.report.renderers.deck.grid import grid_of
from cifar100.report.renderers.deck.text import equation_png
from cifar100.report.tables.table import Cell, Table

LONG = {
    "en": "Efficient channel attention weighs every channel by its neighbours at hardly any cost. ",
    "zh": "高效通道注意力根据相邻通道给每个通道加权，几乎不增加参数量和乘加次数。",
}
EVIL = ("=cmd()", "<script>&amp;]]>", "http://evil.example/a", "\u202eevil\x1b[31m", "差异" * 60, "a" * 300, "")


def png(width, height):
    picture = io.BytesIO()
    Image.new("RGB", (width, height), "#88a").save(picture, "png")
    return picture.getvalue()


def figure(id="f", size=(1440, 700)):
    return FigureBlock(id, "A caption", None, png(*size))


def table(rows=9, columns=6, cell="59.52 ± 0.85", id="main", first="Design"):
    cells = tuple((Cell(f"{first} {i}"), *(Cell(cell, 0.5) for _ in range(columns - 1))) for i in range(rows))
    heads = ("Design", *(f"Heading of column {i}" for i in range(1, columns)))
    numeric = (False, *[True] * (columns - 1))
    return TableBlock(Table(id, "Title", heads, cells, ("A note of the table.",), numeric))


def document(*slides, language="en", title="Small networks", below=()):
    blocks = tuple(block for slide in slides for block in slide.blocks if isinstance(block, FigureBlock | TableBlock))
    named = dict.fromkeys(getattr(block, "id", None) or block.table.id for block in blocks)
    kept = tuple(next(b for b in blocks if (getattr(b, "id", None) or b.table.id) == name) for name in named)
    section = Section("one", "One", kept, (Section("two", "Two", (), (), tuple(below)),), tuple(slides))
    return Document(title, language, ("Ada Lovelace", "State of the records"), (section,))


def opened(slides, language="en", **options):
    words = load_words("zh" if language == "zh-Hans" else "en")
    return Presentation(io.BytesIO(pptx_document(document(*slides, language=language, **options), words)))


def texts(slide):
    found = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    return found + [c.text for s in slide.shapes if s.has_table for row in s.table.rows for c in row.cells]


def titles(deck):
    return [slide.shapes.title.text_frame.text for slide in deck.slides]


def full_deck(language):
    """A slide of every part, each as full as the worst of a real report."""
    text = LONG[language]
    slides = [
        Slide("background", text, (Notice((text,)), Bullets(((text * 3,),) * 3))),
        Slide("baseline", "Stages", (Paragraph((text,)), table(5, 5))),
        Slide("designs", "ECA", (Paragraph((text * 3, " ", Cite("wang2019eca"))), Equation(r"y = x \odot \sigma(g(x))"),
                                 Paragraph((text,)))),
        Slide("setup", "Recipes", (table(20, 9, text[:24], "setup"),)),
        Slide("main", "Main", (Paragraph((text,)), table(9, 8))),
        Slide("differences", "Forest", (Bullets(((text,),) * 2), figure("wide", (1440, 600)))),
        Slide("cost", "Cost", (Paragraph((text,)), figure("square", (1200, 1200)))),
        Slide("innovation", "Long words", (table(4, 4, "x" * 80, "wide-cells", "y" * 90),)),
        Slide("conclusion", "Conclusion", (Bullets(((text * 4,),) * 6),)),
    ]  # fmt: skip
    return slides


def test_slides_stand_in_the_order_of_parts_whatever_section_they_come_from():
    late = Slide("cost", "Cost", (Paragraph(("words",)),))
    early = Slide("background", "Background", (Paragraph(("words",)),))
    other = Slide("cost", "Second cost", (Paragraph(("words",)),))
    assert titles(opened([late], below=[other, early])) == ["Small networks", "Background", "Cost", "Second cost"]
    with pytest.raises(ValueError, match="part=outlook must be one of background"):
        Slide("outlook", "x", ())
    with pytest.raises(ValueError, match="more than one figure or table"):
        Slide("cost", "x", (figure(), table()))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_shapes_lie_on_the_slide_apart_and_in_readable_sizes(language):
    deck = opened(full_deck(language), "zh-Hans" if language == "zh" else "en")
    for slide in deck.slides:
        boxes = []
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width and shape.top + shape.height <= deck.slide_height
            boxes.append((shape.left, shape.top, shape.left + shape.width, shape.top + shape.height))
            smallest = 12 if shape.has_table or shape.top > Emu(914400 * 6.7) else 18
            assert all(Pt(smallest) <= size for size in sizes(shape)), (titles(deck), shape.name)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                apart = a[2] <= b[0] + 9 or b[2] <= a[0] + 9 or a[3] <= b[1] + 9 or b[3] <= a[1] + 9
                assert apart, slide.shapes.title.text_frame.text


def sizes(shape):
    return [int(each) * 127 for each in shape.element.xpath(".//a:rPr/@sz")]


def test_a_figure_is_the_reports_picture_and_a_table_is_native():
    shown = figure()
    deck = opened([Slide("cost", "Cost", (shown,)), Slide("main", "Main", (table(3, 3),))])
    (picture,) = [shape for shape in deck.slides[2].shapes if shape.shape_type == 13]
    assert picture.image.blob == shown.png
    assert picture.width / picture.height == pytest.approx(1440 / 700, rel=0.01)
    assert picture._element.nvPicPr.cNvPr.get("descr") == "A caption"
    (native,) = [shape.table for shape in deck.slides[1].shapes if shape.has_table]
    assert [[cell.text for cell in row.cells] for row in native.rows][1] == ["Design 0", "59.52 ± 0.85", "59.52 ± 0.85"]
    assert "A note of the table." in deck.slides[1].notes_slide.notes_text_frame.text


def test_text_goes_on_to_further_slides_and_loses_nothing():
    items = tuple((f"Sentence {i}. " + LONG["en"] * 3,) for i in range(12))
    deck = opened([Slide("conclusion", "Conclusion", (Bullets(items),))])
    assert len(deck.slides) > 2 and set(titles(deck)[1:]) == {"Conclusion"}
    words_shown = "\n".join(text for slide in deck.slides for text in texts(slide))
    lengths = [len(" ".join(texts(slide))) for slide in list(deck.slides)[1:]]
    assert min(lengths) > 0.5 * max(lengths), "none is left nearly empty"
    assert all(f"Sentence {i}." in words_shown for i in range(12))


def test_a_long_table_shows_the_rows_there_is_room_for_and_says_so():
    deck = opened([Slide("main", "Main", (table(60, 3),))])
    (native,) = [shape.table for shape in deck.slides[1].shapes if shape.has_table]
    shown = len(native.rows) - 1
    assert 10 < shown < 60 and f"The first {shown} of 60 rows; the report has all of them." in texts(deck.slides[1])


def test_numbers_are_not_broken_and_columns_fill_the_width():
    grid = grid_of(table(8, 8).table, 12.1, 5)
    assert len(grid.rows) == 9 and sum(grid.widths) <= 12.11
    for row in grid.rows[1:]:
        assert all(text_width(text, grid.size) <= width * 72 for text, width in zip(row, grid.widths, strict=True))


def test_a_deck_has_at_most_twenty_slides_and_counts_what_it_leaves_out():
    slides = [Slide(part, part, (Paragraph(("words",)),)) for part in PARTS if part != "ablations"]
    slides += [Slide("ablations", f"Ablation {i}", (table(3, 3, id=f"a{i}"),)) for i in range(15)]
    deck = opened(slides)
    assert len(deck.slides) == MOST and [part for part in PARTS if part not in titles(deck)] == ["ablations"]
    last = [slide for slide in deck.slides if "Ablation" in slide.shapes.title.text_frame.text][-1]
    assert "7 further slides are left out; the report has what they show." in texts(last)


def test_mentions_and_sources_read_without_the_report():
    text = ("As ", Strong("bold"), " in ", Ref("f"), " ", Cite("wang2019eca"), " and ", Cite("dunnett1955"))
    deck = opened([Slide("cost", "Cost", (Paragraph(text), figure()))])
    assert "As bold in Figure 1 (Wang et al., 2020) and (Dunnett, 1955)" in texts(deck.slides[1])


def test_equal_documents_give_equal_bytes():
    words = load_words("zh")
    assert pptx_document(document(*full_deck("zh")), words) == pptx_document(document(*full_deck("zh")), words)


def test_every_equation_of_the_methods_can_be_drawn():
    equations = [each["latex"] for entry in method_entries().values() for each in entry["equations"]]
    assert len(equations) > 15 and not [latex for latex in equations if equation_png(latex) is None]


def test_records_text_is_plain_text_and_leads_nowhere():
    rows = tuple((Cell(each), Cell(each)) for each in EVIL)
    slides = [Slide("main", "".join(EVIL), (Paragraph(EVIL), TableBlock(Table("t", "", ("a", "b"), rows))))]
    data = pptx_document(document(*slides, title="".join(EVIL)), load_words("en"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            blob = archive.read(name)
            if name.endswith((".xml", ".rels")):
                etree.fromstring(blob)
                assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", blob.decode()), name
                assert b"External" not in blob and b"hlinkClick" not in blob and b"oleObj" not in blob, name


def test_lines_are_counted_as_words_and_characters_break():
    assert count_lines("", 100, 18) == 1 and count_lines("差" * 10, 10 * 18, 18) == 1
    assert count_lines("差" * 11, 10 * 18, 18) == 2 and count_lines("aa bb", text_width("aa b", 18), 18) == 2
    assert count_lines("a" * 100, text_width("a" * 10, 18) + 1, 18) == 10
    assert shortened("差" * 30, 10 * 18, 18, 2).endswith("…") and shortened("abc", 100, 18) == "abc"


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("soffice") and shutil.which("pdftotext")), reason="needs LibreOffice, poppler")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_libreoffice_draws_every_word_within_its_slide(language, tmp_path):
    """In whatever fonts this machine has instead of those that the deck names."""
    slides = full_deck(language)
    data = pptx_document(document(*slides), load_words(language))
    (tmp_path / "deck.pptx").write_bytes(data)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, tmp_path / "deck.pptx"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    subprocess.run(["pdftotext", "-bbox", tmp_path / "deck.pdf", tmp_path / "words.html"], check=True, timeout=60)
    pages = ElementTree.parse(tmp_path / "words.html").findall(".//{*}page")
    assert len(pages) == len(Presentation(io.BytesIO(data)).slides)
    for number, page in enumerate(pages, 1):
        foot = float(page.get("height")) * 6.8 / 7.5
        words = page.findall("{*}word")
        for word in words:
            assert 0 <= float(word.get("xMin")) and float(word.get("xMax")) <= float(page.get("width"))
        below = [word.text for word in words if float(word.get("yMax")) > foot]
        assert number == 1 or below[-1] == str(number) and (len(below) == 1 or float(words[-1].get("yMin")) > foot)
