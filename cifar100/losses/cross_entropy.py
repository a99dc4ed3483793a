"""Cross entropy."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.values import is_number


class WeightedCrossEntropy(nn.CrossEntropyLoss):
    """Cross entropy in which each class counts by its weight.

    Deviation from torch: the sum over the images is divided by their number, not by the sum of their weights, so that
    micro-batches and processes add up to one batch.
    """

    def __init__(self, weights: Sequence[float], label_smoothing: float) -> None:
        super().__init__(torch.tensor(weights), reduction="sum", label_smoothing=label_smoothing)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return super().forward(logits, targets) / len(logits)


def cross_entropy(
    label_smoothing: float = 0.0,
    class_weights: str | Sequence[float] | None = None,
    class_counts: Sequence[int] | None = None,
) -> nn.CrossEntropyLoss:
    """Mean cross entropy of logits ``(n, classes)`` and targets: class indices ``(n,)`` or shares ``(n, classes)``.

    Args:
        label_smoothing: part of the target that is spread over all classes (Szegedy et al., arXiv 1512.00567,
            section 7), in [0, 1).
        class_weights: ``balanced`` weighs each class by the inverse of its number of training images, so that all
            classes count alike (weights of mean 1 over the images); or a number above 0 per class; None weighs none.
        class_counts: training images of each class.

    Raises:
        UserError: a part outside [0, 1); weights that are not one for each class, or for a class without images.
    """
    check_label_smoothing(label_smoothing)
    if class_weights is None:
        return nn.CrossEntropyLoss(label_smoothing=label_smoothing)
    return WeightedCrossEntropy(_weights(class_weights, class_counts), label_smoothing)


def check_label_smoothing(value: float) -> None:
    """Raises UserError for a part outside [0, 1)."""
    if isinstance(value, bool | str) or not 0 <= value < 1:
        raise UserError(f"loss.label_smoothing={value} must lie in [0, 1); 0 smooths nothing")


def _weights(wanted: str | Sequence[float], counts: Sequence[int] | None) -> list[float]:
    classes = "each class" if counts is None else f"each of the {len(counts)} classes"
    if wanted == "balanced":
        if not counts or min(counts) < 1:
            raise UserError("loss.class_weights=balanced needs training images of every class; give numbers instead")
        return [sum(counts) / (len(counts) * count) for count in counts]
    numbers = list(wanted) if isinstance(wanted, list | tuple) else []
    right = all(is_number(each) and each > 0 for each in numbers)
    if not numbers or not right or (counts is not None and len(numbers) != len(counts)):
        raise UserError(f"loss.class_weights={wanted} must be balanced or a list with a number above 0 for {classes}")
    return [float(each) for each in numbers]
