"""Text is taken to be as long as it is, never shorter, and cut where it cannot fit."""

import pytest

from cifar100.report.renderers.slides.fit import Paragraph, cut_to_fit, fit_size, pieces, text_height, wrap
from cifar100.report.renderers.slides.scale import decimals, round_limits
from cifar100.report.renderers.slides.shorten import distinct, shorten
from cifar100.report.renderers.slides.widths import text_width

ENGLISH = "Rows whose networks are identical differ by chance alone, whatever the numbers say of them. " * 3
CHINESE = "网络与方案完全相同的两行，其差异只是偶然；无论数字如何，都不作任何结论（见报告）。" * 3


def test_widths_are_those_of_helvetica():
    """Adobe's font metrics: H 722, e 556, l 222, o 556 thousandths; bold H 722, i 278."""
    assert text_width("Hello", 10) == pytest.approx(10 * (722 + 556 + 222 + 222 + 556) / 1000)
    assert text_width("Hi", 1000, bold=True) == 722 + 278
    assert text_width("差异", 10) == 20
    assert text_width("é", 10) >= text_width("e", 10)
    assert text_width("e\u0301", 10) == text_width("e", 10)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, "ResNet-20 的 Top-1 为 65.8%", "", "   ", "x" * 500])
def test_lines_hold_the_text_and_stay_within_the_box(text):
    assert "".join(pieces(text)) == text
    lines = wrap(text, 200, 12)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 12) <= 200 for line in lines)
    assert len(lines) >= 1


def test_no_line_begins_with_closing_punctuation():
    for width in range(60, 200, 7):
        lines = wrap(CHINESE, width, 12)
        assert not [line for line in lines if line[0] in "，。；）"], width
        assert not [line for line in lines if line[-1] in "（"], width


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_the_size_found_is_the_largest_that_fits(text):
    paragraphs = [Paragraph(text), Paragraph(text, bullet=True, gap=0.5)]
    size = fit_size(paragraphs, 300, 200, 18, 6)
    assert 6 < size < 18
    assert text_height(paragraphs, 300, size) <= 200 < text_height(paragraphs, 300, size + 0.5)
    assert cut_to_fit(paragraphs, 300, 200, size) == paragraphs


@pytest.mark.parametrize("height", [12.5, 40, 100])
def test_what_cannot_fit_is_cut_with_an_ellipsis(height):
    paragraphs = [Paragraph(ENGLISH), Paragraph(CHINESE), Paragraph(ENGLISH)]
    kept = cut_to_fit(paragraphs, 120, height, 10)
    assert text_height(kept, 120, 10) <= height
    assert kept[-1].text.endswith("…") and len(kept[-1].text) > 10


def test_names_stay_apart_when_they_are_cut():
    names = ["attention eca, kernel_size 5", "attention eca, kernel_size 7", "none"]
    cut = distinct(names, 16)
    assert len(set(cut)) == 3 and max(map(len, cut)) <= 16
    assert distinct(names, 40) == names
    assert shorten("abcdef", 4) == "abc…" and shorten("差异差异", 5) == "差异…"


@pytest.mark.parametrize(
    "values", [[58.2, 69.1], [0.27, 0.31], [-3.0, 4.5], [5.0], [0.0], [1e-4, 2e-4], [100, 4000], []]
)
@pytest.mark.parametrize("from_zero", [True, False])
def test_axes_hold_all_values_and_end_in_round_numbers(values, from_zero):
    low, high, step = round_limits(values, from_zero)
    assert low < high and 2 <= round((high - low) / step) <= 12
    assert all(low <= value <= high for value in values)
    assert not from_zero or low <= 0 <= high
    assert low >= 0 or min(values, default=0) < 0
    assert float(format(step, f".{len(decimals(values, from_zero).partition('.')[2])}f")) == pytest.approx(step)
