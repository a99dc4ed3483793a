"""mixup (arXiv 1710.09412) and CutMix (arXiv 1905.04899), per image.

Each image has a share and a partner of its own, drawn by a counter from the whole training set; the papers draw one
share per batch and pair the batch with itself. So the result does not depend on what else is in the batch.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cifar100.base.counter import random_below, random_uniform, stream_key
from cifar100.data.cutout import box_mask, random_box


class Labelled(NamedTuple):
    """Normalised images float32 (n, H, W, C), contiguous, and labels int64 (n,)."""

    images: Tensor
    labels: Tensor


def partners(ids: Tensor, seed: int, epoch: int, count: int) -> Tensor:
    """int64 (n,): the image that each image is mixed with, out of `count`."""
    return random_below(ids, stream_key(seed, epoch, "partner"), count)


@dataclass(frozen=True)
class Mixing:
    """The share that is kept of an image is Beta(alpha, alpha) distributed; alpha=0 switches mixup or CutMix off.

    With both on, a fair coin per image chooses one.
    """

    mixup_alpha: float
    cutmix_alpha: float
    num_classes: int

    def __call__(self, own: Labelled, other: Labelled, ids: Tensor, seed: int, epoch: int) -> tuple[Tensor, Tensor]:
        """Mixed images (n, H, W, C) and targets float32 (n, num_classes): own's and other's classes by their shares."""
        uniform = random_uniform(ids, stream_key(seed, epoch, "share"))
        cut = random_below(ids, stream_key(seed, epoch, "coin"), 2) == 1
        both = self.mixup_alpha > 0 and self.cutmix_alpha > 0
        images, kept = own.images.flatten(1), torch.ones_like(uniform)
        if self.mixup_alpha:
            share = beta_quantile(uniform, self.mixup_alpha)
            kept = share.masked_fill(cut, 1.0) if both else share
            images = other.images.flatten(1).lerp(images, kept.to(images.dtype)[:, None])
        if self.cutmix_alpha:
            side = (1 - beta_quantile(uniform, self.cutmix_alpha)).sqrt()  # of the box, equations 1 and 2
            side = side.masked_fill(~cut, 0.0) if both else side
            height, width, channels = own.images.shape[1:]
            box = (side * height).long(), (side * width).long()
            rows, columns = random_box(ids, stream_key(seed, epoch, "box"), height, width, *box)
            images = torch.where(box_mask(rows, columns, channels).flatten(1), other.images.flatten(1), images)
            kept = kept * (1 - rows.sum(1) * columns.sum(1) / (height * width))
        return images.view(own.images.shape), self._targets(own.labels, other.labels, kept.to(images.dtype)[:, None])

    def _targets(self, labels: Tensor, other_labels: Tensor, kept: Tensor) -> Tensor:
        one, two = (F.one_hot(each, self.num_classes) for each in (labels, other_labels))
        return one * kept + two * (1 - kept)


def beta_quantile(uniform: Tensor, alpha: float) -> Tensor:
    """Beta(alpha, alpha) distributed, float64: the quantile function of uniform draws."""
    if alpha == 1:
        return uniform
    from scipy.special import betaincinv

    return torch.from_numpy(betaincinv(alpha, alpha, uniform.cpu().numpy())).to(uniform.device)
