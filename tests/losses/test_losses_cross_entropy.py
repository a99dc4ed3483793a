"""Losses against formulas written out."""

import pytest
import torch
from torch import nn

from cifar100.losses.cross_entropy import cross_entropy

LOGITS = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.tensor([0, 1, 2, 3, 4, 0])


def test_label_smoothing_is_szegedys():
    shares = 0.9 * nn.functional.one_hot(LABELS, 5) + 0.1 / 5
    expected = -(shares * LOGITS.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(cross_entropy(0.1)(LOGITS, LABELS), expected)
    for wrong in (-0.1, 1, 1.5, float("nan"), True, "0.1"):
        with pytest.raises(ValueError, match="loss.label_smoothing"):
            cross_entropy(wrong)


@pytest.mark.parametrize("mixed", [False, True])
def test_each_class_counts_by_its_weight(mixed):
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0]).double()
    shares = nn.functional.one_hot(LABELS, 5).double()
    shares = 0.75 * shares + 0.25 * shares.roll(1, 0) if mixed else shares
    expected = -(weights * shares * LOGITS.log_softmax(1)).sum() / 6
    loss = cross_entropy(class_weights=weights.tolist()).double()
    torch.testing.assert_close(loss(LOGITS, shares if mixed else LABELS), expected)
    part = (
        loss(LOGITS[:4], (shares if mixed else LABELS)[:4]) * 4
        + loss(LOGITS[4:], (shares if mixed else LABELS)[4:]) * 2
    )
    torch.testing.assert_close(part / 6, expected, msg="micro-batches add up to the batch")


def test_balanced_classes_count_alike():
    loss = cross_entropy(class_weights="balanced", class_counts=[2, 1, 1, 1, 1])
    assert loss.weight.tolist() == pytest.approx([0.6, 1.2, 1.2, 1.2, 1.2])
    loss = cross_entropy(class_weights="balanced", class_counts=[7, 7]).double()
    labels = torch.tensor([0, 1, 1])
    torch.testing.assert_close(loss(LOGITS[:3, :2], labels), nn.functional.cross_entropy(LOGITS[:3, :2], labels))
    for wrong in ("even", [], [1, -1], [1, 1, 1], [True, 1], 2, {"a": 1}):
        with pytest.raises(ValueError, match="loss.class_weights="):
            cross_entropy(class_weights=wrong, class_counts=[3, 3])
    with pytest.raises(ValueError, match="images of every class"):
        cross_entropy(class_weights="balanced", class_counts=[3, 0])
