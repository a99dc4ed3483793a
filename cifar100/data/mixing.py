"""mixup (arXiv 1710.09412) and CutMix (arXiv 1905.04899), per image.

Each image has a share and a partner of its own, drawn by a counter from the whole training set; the papers draw one
share per batch and pair the batch with itself. So the result does not depend on what else is in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .counter import random_below, random_uniform, stream_key
from .cutout import box


def partners(ids: Tensor, seed: int, epoch: int, count: int) -> Tensor:
    """int64 (n,): the image that each image is mixed with, out of `count`."""
    return random_below(ids, stream_key(seed, epoch, "partner"), count)


@dataclass(frozen=True)
class Mixing:
    """Beta(alpha, alpha) of the share; alpha 0 switches one off; with both on, a fair coin per image chooses."""

    mixup_alpha: float
    cutmix_alpha: float
    num_classes: int

    def __call__(
        self, images: Tensor, others: Tensor, labels: Tensor, other_labels: Tensor, ids: Tensor, seed: int, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Mix images with others, float32 (n, H, W, C); returns images and targets float32 (n, num_classes)."""
        share = random_uniform(ids, stream_key(seed, epoch, "share"))
        chooses_cutmix = random_below(ids, stream_key(seed, epoch, "coin"), 2) == 1
        if self.mixup_alpha == 0 or self.cutmix_alpha == 0:
            chooses_cutmix = torch.full_like(chooses_cutmix, self.cutmix_alpha > 0)
        cut_share, inside = self._cutmix(share, ids, stream_key(seed, epoch, "box"), images.shape[1], images.shape[2])
        mix_share = _beta_quantile(share, self.mixup_alpha) if self.mixup_alpha else share
        kept = torch.where(chooses_cutmix, cut_share, mix_share)
        weight = torch.where(chooses_cutmix[:, None, None], (~inside).double(), mix_share[:, None, None])
        images = torch.lerp(others, images, weight.to(images.dtype)[..., None])
        kept = kept.to(images.dtype)[:, None]
        one_hot = F.one_hot(labels, self.num_classes), F.one_hot(other_labels, self.num_classes)
        return images, one_hot[0] * kept + one_hot[1] * (1 - kept)

    def _cutmix(self, share: Tensor, ids: Tensor, key: int, height: int, width: int) -> tuple[Tensor, Tensor]:
        """The share of pixels kept (n,), after the box was cut off at the border, and the box (n, height, width)."""
        side = (1 - _beta_quantile(share, self.cutmix_alpha)).sqrt() if self.cutmix_alpha else torch.zeros_like(share)
        inside = box(ids, key, height, width, (side * height).long(), (side * width).long())
        return 1 - inside.double().mean((1, 2)), inside


def _beta_quantile(uniform: Tensor, alpha: float) -> Tensor:
    """Beta(alpha, alpha) distributed, float64: the quantile function of uniform draws."""
    if alpha == 1:
        return uniform
    from scipy.special import betaincinv

    return torch.from_numpy(betaincinv(alpha, alpha, uniform.cpu().numpy())).to(uniform.device)
