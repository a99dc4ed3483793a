"""The figure of two runs compared: ordered, marked by more than colour, bounded, safe with any name."""

import struct

import pytest

from cifar100.evaluation.explanations.compare_figure import comparison_figure
from cifar100.evaluation.figures import BLUE, GREY, ORANGE, png


def row(name, difference, half=0.1, sure=False):
    return (0, name, None, 100, 0.5, 0.5, difference, difference - half, difference + half, 0, 0, 1.0, 1.0, sure)


def test_classes_are_ordered_and_the_distinguishable_have_their_own_mark():
    rows = [
        row("worse", -0.3, sure=True),
        row("same", 0.01),
        row("better", 0.4, sure=True),
        row("unsure", 0.2, half=0.3),
    ]
    (axes,) = comparison_figure(rows, "a run\nminus another", ["a sentence"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better", "unsure", "same", "worse"]
    marks = [line for line in axes.lines if line.get_marker() in ("D", "o")]
    assert [(mark.get_marker(), mark.get_color()) for mark in marks] == [
        ("D", BLUE),
        ("o", GREY),
        ("o", GREY),
        ("D", ORANGE),
    ]
    assert [float(mark.get_xdata()[0]) for mark in marks] == pytest.approx([40, 20, 1, -30])
    bars = [line.get_xdata() for line in axes.lines if line.get_marker() == "None" and len(line.get_xdata()) == 2]
    assert [float(each) for each in bars[0]] == pytest.approx([30, 50])
    low, high = axes.get_xlim()
    assert low < -30 and high > 50, "every interval is whole"


def test_a_hundred_classes_have_two_panels_and_readable_names():
    figure = comparison_figure([row(f"class_{i}", (i - 50) / 200) for i in range(100)], "a run", ["a sentence"])
    content = png(figure)
    assert [len(axes.get_yticklabels()) for axes in figure.axes] == [50, 50]
    width, height = struct.unpack(">II", content[16:24])
    assert 1000 < width < 1600 and 1000 < height < 1800
    boxes = sorted((box.y0, box.y1) for box in (each.get_window_extent() for each in figure.axes[0].get_yticklabels()))
    assert all(upper <= lower for (_, upper), (lower, _) in zip(boxes, boxes[1:], strict=False))


def test_of_very_many_classes_the_largest_differences_are_drawn():
    figure = comparison_figure([row(f"class {i}", i / 1000) for i in range(300)], "a run", [])
    drawn = {label.get_text() for axes in figure.axes for label in axes.get_yticklabels()}
    assert drawn == {f"class {i}" for i in range(100, 300)}
    assert "the 200 of 300 classes with the largest differences" in figure.get_suptitle()


@pytest.mark.parametrize("name", ["$\\frac", "<script>", "a\nb\x1b[31m", "%s{}", "x" * 500])
def test_names_are_drawn_as_they_are(name):
    assert png(comparison_figure([row(name, 0.1)], name, [name]))[:4] == b"\x89PNG"
