"""Logits of every image of a split, each exactly once, on one process or many."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from accelerate.utils import gather, pad_across_processes
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.evaluation.costs import evaluation_mode
from cifar100.evaluation.precision import Precision

log = logging.getLogger(__name__)
LINES = 5


@dataclass(frozen=True)
class Predictions:
    """Logits (n, classes) float32 and labels (n,) int64 on the CPU, in the order of the split."""

    logits: Tensor
    labels: Tensor

    @property
    def predicted(self) -> Tensor:
        """The class with the highest logit, (n,) int64."""
        return self.logits.argmax(dim=1)

    @property
    def correct(self) -> Tensor:
        """Whether the predicted class is the label, (n,) bool."""
        return self.predicted == self.labels

    @property
    def confidences(self) -> Tensor:
        """The softmax probability of the predicted class, (n,) float64."""
        return self.logits.double().softmax(dim=1).amax(dim=1)


class Loader(Protocol):
    """Batches with `images` and `labels`; `indices` are the positions in the split of this process's images."""

    indices: Iterable[int]

    def __len__(self) -> int: ...

    def __iter__(self): ...


def mean_probabilities(logits: Sequence[Tensor]) -> Tensor:
    """Logits (n, classes) whose softmax is the mean of those of several, as an ensemble answers (Lakshminarayanan et
    al., arXiv 1612.01474, section 2.4)."""
    return torch.stack([each.log_softmax(dim=1) for each in logits]).logsumexp(dim=0) - math.log(len(logits))


def predict(
    model: nn.Module,
    loader: Loader,
    total: int,
    *,
    num_classes: int,
    precision: Precision = Precision.FLOAT32,
    mirrored: bool = False,
) -> Predictions:
    """Runs `model` over this process's part of a split of `total` images and gathers all parts on every process. With
    `mirrored`, probabilities are the means of those of an image and of its mirror image.

    Raises ValueError if the network does not give `num_classes` logits, RuntimeError if the gathered images are not
    each of the `total` exactly once.
    """
    device = next(model.parameters()).device
    logits, labels = [torch.empty(0, num_classes)], [torch.empty(0, dtype=torch.int64)]
    step = max(1, -(-len(loader) // LINES))
    with evaluation_mode(model), torch.inference_mode():
        for number, batch in enumerate(loader, start=1):
            images = batch.images.to(device, non_blocking=True)
            with precision.autocast(device):
                output = model(images)
                if mirrored:
                    output = mean_probabilities([output.float(), model(images.flip(-1)).float()])
            if output.shape[1:] != (num_classes,):
                raise UserError(
                    f"the network's output {tuple(output.shape[1:])} is not one logit for each of {num_classes} classes"
                )
            logits.append(output.float().cpu())
            labels.append(batch.labels.cpu())
            if number % step == 0 or number == len(loader):
                log.info("evaluated batch %d of %d", number, len(loader))
    indices = torch.as_tensor(list(loader.indices), dtype=torch.int64)
    return _gather(torch.cat(logits), torch.cat(labels), indices, total, device)


def _gather(logits: Tensor, labels: Tensor, indices: Tensor, total: int, device: torch.device) -> Predictions:
    if not len(logits) == len(labels) == len(indices):
        raise RuntimeError(f"{len(logits)} predictions for {len(labels)} labels and {len(indices)} images")
    # Collectives want equal lengths: shorter parts are filled with index -1, which is dropped again.
    parts = [pad_across_processes(part.to(device), pad_index=-1) for part in (indices, logits, labels)]
    indices, logits, labels = (gather(part).cpu() for part in parts)
    order = indices.argsort()[(indices < 0).sum() :]
    if not torch.equal(indices[order], torch.arange(total)):
        raise RuntimeError(f"{len(order)} images came back for {total}, or one twice; each must be counted once")
    return Predictions(logits[order], labels[order])
