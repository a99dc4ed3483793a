"""Text from records on the slides: plain text, wherever it comes from; no formula, no link."""

import io
import re
import zipfile

import pytest
from lxml import etree
from pptx import Presentation

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.slides import write_slides

LABELS = (
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "<script>alert(1)</script>&amp;]]>",
    "http://evil.example/a?b=c",
    "+1+cmd|'/C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "{row} {0} %s \\input{x} _x0041_",
    "\u202eevil\u0007 \x1b]0;owned\x07",
    "差异" * 30,
    "a" * 60,
    "",
)  # fmt: skip
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def hostile(synthetic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "=study<b>"
    names = ["=1+1", "<b>", "http://evil.example", *(f"c{i}" for i in range(7))]
    for index, label in enumerate(LABELS):
        for seed in (0, 1):
            changes = {"model.widths": [16 + index, 32, 64], "model.evil": "=cmd()" if index == 3 else None}
            synthetic.write_run(
                folder, seed=seed, label=label, class_names=names, changes=changes, top1=0.5 + 0.01 * index
            )
    synthetic.write_run(folder, seed=9, label="=failed", state="failed", name="=1+1<script>")
    team = [{"name": "=cmd()", "part": "<a href='http://evil.example'>"}]
    study = read_study(folder)
    return study, write_slides(study, load_words("zh"), team=team, title="=1+1 \x1b[31m <i>", ablations=[study])


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_part_is_well_formed_and_without_steering_characters(hostile):
    for name, blob in parts(hostile[1]).items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(blob)
            assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", blob.decode()), name


def test_nothing_leads_out_of_the_file(hostile):
    for name, blob in parts(hostile[1]).items():
        if name.endswith(".rels"):
            assert b'TargetMode="External"' not in blob and b"hyperlink" not in blob, name
        if name.startswith("ppt/slides/") and name.endswith(".xml"):
            assert b"hlinkClick" not in blob and b"oleObj" not in blob, name


def test_workbooks_hold_labels_as_text(hostile):
    study, content = hostile
    books = [blob for name, blob in parts(content).items() if name.endswith(".xlsx")]
    assert len(books) >= 5
    seen = set()
    for blob in books:
        inside = parts(blob)
        assert not [name for name in inside if "External" in name or "vba" in name]
        for name, sheet in inside.items():
            if name.startswith("xl/worksheets/"):
                root = etree.fromstring(sheet)
                assert not list(root.iter(f"{MAIN}f", f"{MAIN}hyperlink")), name
            if name == "xl/sharedStrings.xml":
                seen |= {"".join(each.itertext()) for each in etree.fromstring(sheet).iter(f"{MAIN}si")}
    assert "-2+3" in seen and "@SUM(1)" in seen and LABELS[2] in seen


def test_tables_print_the_labels_as_they_are(hostile):
    study, content = hostile
    deck = Presentation(io.BytesIO(content))
    cells = {
        cell.text_frame.text
        for slide in deck.slides
        for shape in slide.shapes
        if shape.has_table
        for row in shape.table.rows
        for cell in row.cells
    }
    assert {row.label for row in study.rows} <= cells
    assert {LABELS[0], LABELS[1], LABELS[5]} <= cells
    assert "<b>" in cells  # a class
    assert any("=1+1<script>" in text for text in cells) or len(deck.slides) == 16


def test_charts_name_no_two_rows_alike(synthetic, tmp_path):
    for index in range(4):
        synthetic.write_run(
            tmp_path, label=f"{'the same beginning of a label ' * 2}{index}"[-60:], classes=5, top1=0.5,
            changes={"model.widths": [16 + index, 32, 64]},
        )  # fmt: skip
    deck = Presentation(io.BytesIO(write_slides(read_study(tmp_path), load_words("en"))))
    slide = next(each for each in deck.slides if each.shapes.title.text_frame.text == "Accuracy with intervals")
    (chart,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    assert len(set(chart.plots[0].categories)) == 4
