"""Figures: drawn without a display, labelled, readable with 100 classes, safe with any name."""

import struct

import pytest
import torch

from cifar100.evaluation.figures import confusion_figure, png, reliability_figure

NAMES = [f"class_number_{index}" for index in range(100)]


def size(content: bytes) -> tuple[int, int]:
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def test_confusion_figure_of_100_classes_is_readable():
    figure = confusion_figure(torch.eye(100, dtype=torch.int64) * 90 + 1, NAMES, "a run", [i // 5 for i in range(100)])
    width, height = size(png(figure))
    assert 1500 < height < width < 3000
    axes = figure.axes[0]
    for labels, side in ((axes.get_yticklabels(), "y"), (axes.get_xticklabels(), "x")):
        boxes = sorted(
            (getattr(b, side + "0"), getattr(b, side + "1")) for b in (t.get_window_extent() for t in labels)
        )
        assert len(boxes) == 100
        assert all(upper <= lower for (_, upper), (lower, _) in zip(boxes, boxes[1:], strict=False))
        assert min(upper - lower for lower, upper in boxes) * 150 / figure.dpi >= 10  # pixels high
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("predicted class", "true class", "a run")


def test_classes_are_grouped_by_superclass_and_rows_are_fractions():
    matrix = torch.tensor([[2, 0, 2], [0, 0, 0], [0, 1, 3]])
    figure = confusion_figure(matrix, ["a", "b", "c"], "", [1, 0, 1])
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "c"]
    assert axes.images[0].get_array().tolist() == [[0, 0, 0], [0, 0.5, 0.5], [0.25, 0, 0.75]]


@pytest.mark.parametrize("name", ["$\\frac", "<script>", "=1+1", "a\nb", "%s{}"])
def test_names_are_drawn_as_they_are(name):
    assert size(png(confusion_figure(torch.eye(2), [name, "b"], name)))


def test_very_many_classes_stay_within_bounds():
    width, _ = size(png(confusion_figure(torch.eye(300), [str(i) for i in range(300)], "")))
    assert width < 5000


def test_reliability_figure_shows_the_bins():
    confidences = torch.tensor([0.05, 0.95, 0.96, 0.97, 0.98])
    figure = reliability_figure(confidences, torch.tensor([True, True, True, False, False]), "a run", 0.123)
    assert size(png(figure))
    upper, lower = figure.axes
    heights = [bar.get_height() for bar in upper.patches]
    assert len(heights) == 15 and heights[0] == 1 and heights[-1] == 0.5 and sum(heights) == 1.5
    assert [bar.get_height() for bar in lower.patches][-1] == 4 and lower.texts[-1].get_text() == "4"
    assert (lower.get_xlabel(), upper.get_ylabel(), lower.get_ylabel()) == (
        "confidence",
        "accuracy",
        "images",
    )
    assert "0.123" in upper.get_title()


def test_a_bar_of_few_images_is_pale():
    confidences = torch.cat([torch.full((1,), 0.05), torch.full((99,), 0.95)])
    bars = reliability_figure(confidences, torch.ones(100, dtype=torch.bool), "", 0.1).axes[0].patches
    assert bars[0].get_alpha() < 0.4 and bars[-1].get_alpha() == 1
