"""Classification metrics as functions of tensors."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from cifar100.base.errors import UserError


def widest(device: torch.device) -> torch.dtype:
    """The widest floating-point numbers of a device: Apple's GPUs have no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


class Totals:
    """Sums of loss and of correct answers over batches, kept in float64 on the device of the logits, or its widest.

    `update` does not wait for the device. Sums of several processes add up: reduce `as_tensor()` and read it
    back with `from_tensor`.
    """

    def __init__(self) -> None:
        self._sums = torch.zeros(4, dtype=torch.float64)

    @torch.no_grad()
    def update(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Add a batch: logits (n, classes), labels (n,) as class indices, loss the batch's mean, a scalar.

        Top-5 counts the five highest logits, or all where there are fewer classes. Logits with a NaN count as wrong.
        """
        if len(labels) == 0:
            return
        rank, dtype = ranks(logits, labels), widest(logits.device)
        count = torch.full((), len(labels), dtype=dtype, device=logits.device)
        sums = torch.stack([(rank < 1).sum().to(dtype), (rank < 5).sum().to(dtype), loss.to(dtype) * count, count])
        self._sums = self._sums.to(logits.device, dtype) + sums

    @property
    def top1(self) -> float:
        """Fraction of images whose highest logit is that of the label."""
        return self.results()["top1"]

    @property
    def top5(self) -> float:
        """Fraction of images whose label is among the five highest logits."""
        return self.results()["top5"]

    @property
    def loss(self) -> float:
        """Mean loss per image."""
        return self.results()["loss"]

    @property
    def count(self) -> int:
        """Number of images."""
        return int(self._sums[3])

    def as_tensor(self) -> Tensor:
        """The sums (correct in top-1, in top-5, loss, images), float64, shape (4,)."""
        return self._sums.clone()

    @classmethod
    def from_tensor(cls, sums: Tensor) -> Self:
        """The totals whose `as_tensor()` is `sums`."""
        if sums.shape != (4,):
            raise UserError(f"sums of shape {tuple(sums.shape)} must have shape (4,); use those of Totals.as_tensor()")
        totals = cls()
        totals._sums = sums.detach().to(torch.float64).clone()
        return totals

    def results(self) -> dict[str, float | int]:
        """top1, top5 (fractions), loss (mean per image) and n (images); waits for the device. NaN without images."""
        top1, top5, loss, count = self._sums.tolist()
        if count == 0:
            return {"top1": float("nan"), "top5": float("nan"), "loss": float("nan"), "n": 0}
        return {"top1": top1 / count, "top5": top5 / count, "loss": loss / count, "n": int(count)}


def ranks(logits: Tensor, labels: Tensor) -> Tensor:
    """The place of each label among its image's logits, (n,) int64: 0 for the highest, as argmax finds it.

    Equal logits, of which bfloat16 gives one image in a hundred or so, stand in the order of the classes, so that
    every count of one evaluation agrees; `topk` leaves their order open. With a NaN among the logits the place is
    behind any that is counted, however few the classes.
    """
    own = logits.gather(1, labels[:, None])
    earlier = torch.arange(logits.shape[1], device=logits.device) < labels[:, None]
    rank = ((logits > own) | (logits == own) & earlier).sum(dim=1)
    return rank.masked_fill(logits.isnan().any(dim=1), torch.iinfo(rank.dtype).max)


class ReliabilityBins(NamedTuple):
    """Predictions sorted into equal bins of confidence, (lower, upper]; tensors of shape (bins,)."""

    lower: Tensor
    upper: Tensor
    count: Tensor  # int64
    confidence: Tensor  # mean confidence, NaN in an empty bin
    accuracy: Tensor  # fraction correct, NaN in an empty bin


def reliability_bins(confidences: Tensor, correct: Tensor, bins: int = 15) -> ReliabilityBins:
    """Sort predictions by confidence: confidences (n,) in [0, 1], correct (n,) bool; 0 falls into the first bin."""
    if bins < 1:
        raise UserError(f"bins={bins} must be >= 1; use for instance bins=15")
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    confidences, correct = confidences.double().cpu(), correct.double().cpu()
    index = (torch.bucketize(confidences, edges) - 1).clamp(0, bins - 1)
    count = torch.bincount(index, minlength=bins)
    confidence = torch.bincount(index, weights=confidences, minlength=bins) / count
    accuracy = torch.bincount(index, weights=correct, minlength=bins) / count
    return ReliabilityBins(edges[:-1], edges[1:], count, confidence, accuracy)


def expected_calibration_error(confidences: Tensor, correct: Tensor, bins: int = 15) -> float:
    """Mean distance between accuracy and confidence over the bins, weighted by count (arXiv 1706.04599, equation 3)."""
    if len(confidences) == 0:
        return float("nan")
    table = reliability_bins(confidences, correct, bins)
    gap = (table.accuracy - table.confidence).abs().nan_to_num()
    return float((gap * table.count).sum() / table.count.sum())


def confusion_matrix(predictions: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Images by true class (row) and predicted class (column): (num_classes, num_classes), int64, on the CPU."""
    predictions, labels = predictions.long().cpu(), labels.long().cpu()
    for name, values in (("predictions", predictions), ("labels", labels)):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < num_classes:
            found = f"{int(values.min())} to {int(values.max())}"
            raise UserError(f"{name} range from {found}; use classes from 0 to num_classes - 1 = {num_classes - 1}")
    counts = torch.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)
