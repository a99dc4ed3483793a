"""Tables that are too long: split over slides, then trimmed, and the slide says so."""

import io

import pytest
from pptx import Presentation

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.slides import write_slides
from cifar100.report.renderers.slides.grid import Grid, plan_grid, rows_that_fit
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.table import split_grid

BOX = Box(0.6, 2.0, 12.0, 4.5)


def grid(rows: int, label: str = "row {}") -> Grid:
    cells = tuple((label.format(i), f"{i}.00 ± 0.10", "278,324") for i in range(rows))
    return Grid(
        ("Row", "Top-1 (%)", "Parameters"), cells, (False, True, True), {(rows - 1, 1): "FF0000"}, frozenset({0})
    )


@pytest.mark.parametrize("rows", [1, 5, 16, 17, 40, 200])
@pytest.mark.parametrize(
    "label", ["row {}", "a long label of a row, attention eca, kernel_size 5, mixer ghost " * 3 + "{}"]
)
def test_parts_fit_and_lose_no_row_in_between(rows, label):
    whole = grid(rows, label)
    parts = split_grid(whole, BOX, 3)
    assert len(parts) <= 3
    joined = [row for part in parts for row in part.rows]
    assert joined == list(whole.rows[: len(joined)])
    assert len(joined) == rows or len(parts) == 3
    assert all(plan_grid(part, BOX).height <= BOX.height or len(part.rows) == 1 for part in parts)
    assert max(len(part.rows) for part in parts) - min(len(part.rows) for part in parts) <= max(2, rows // 3)


def test_marks_follow_their_rows():
    first, second = grid(20).part(0, 10), grid(20).part(10, 20)
    assert first.strong == {0} and not first.colours
    assert not second.strong and second.colours == {(9, 1): "FF0000"}


def test_columns_fill_the_width_and_numbers_do_not_break():
    plan = plan_grid(grid(8, "a label of many words that may well break over several lines " * 3), BOX)
    assert sum(plan.widths) == pytest.approx(BOX.width)
    assert plan.size >= 10
    assert rows_that_fit(plan, plan.height) == 8 and rows_that_fit(plan, 0.1) == 1


def main_pages(deck):
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    return [slide for slide, title in zip(deck.slides, titles, strict=True) if title.startswith("Main result")]


def rows_of(slide):
    table = next(shape.table for shape in slide.shapes if shape.has_table)
    return [row.cells[0].text_frame.text for row in list(table.rows)[1:]]


def notes_of(slide):
    return " ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


def test_a_long_main_table_goes_on_and_then_says_what_is_missing(synthetic, tmp_path):
    study = read_study(synthetic.write_study(tmp_path / "long", rows=60, seeds=1, classes=3))
    pages = main_pages(Presentation(io.BytesIO(write_slides(study, load_words("en")))))
    shown = [label for page in pages for label in rows_of(page)]
    assert len(pages) > 1 and len(shown) < 60
    assert shown == [row.label for row in study.rows[: len(shown)]]
    assert all(f"The first {len(shown)} of 60 rows" in notes_of(page) for page in pages)


def test_a_short_one_says_nothing_of_the_kind(synthetic, tmp_path):
    study = read_study(synthetic.write_study(tmp_path / "short", rows=3, seeds=2, classes=3))
    (page,) = main_pages(Presentation(io.BytesIO(write_slides(study, load_words("en")))))
    assert rows_of(page) == ["Design 0", "Design 1", "Design 2"]
    assert "rows in the table's order" not in notes_of(page)
