"""Cutout (DeVries and Taylor, arXiv 1708.04552), and the random boxes that it shares with CutMix."""

import torch
from torch import Tensor

from cifar100.base.counter import random_below


def cutout(images: Tensor, ids: Tensor, key: int, size: int) -> Tensor:
    """Zero a size x size square of each normalised image, its centre anywhere in the image, its rest cut off.

    images float32 (n, H, W, C); zero is the channel mean, section 3.2. The paper uses 16 pixels for CIFAR-10 and
    8 for CIFAR-100.
    """
    sides = torch.full_like(ids, size)
    rows, columns = random_box(ids, key, images.shape[1], images.shape[2], sides, sides)
    return images.flatten(2).masked_fill(box_mask(rows, columns, images.shape[3]), 0.0).view(images.shape)


def random_box(
    ids: Tensor, key: int, height: int, width: int, box_height: Tensor, box_width: Tensor
) -> tuple[Tensor, Tensor]:
    """A box per image, of the sizes given in pixels, int64 (n,), with a uniform centre, cut off at the border.

    Returns which rows, bool (n, height), and which columns, bool (n, width), it covers.
    """
    rows = _span(random_below(ids, key, height), box_height, height)
    columns = _span(random_below(ids, key + 1, width), box_width, width)
    return rows, columns


def box_mask(rows: Tensor, columns: Tensor, channels: int) -> Tensor:
    """bool (n, height, width * channels): contiguous, so that elementwise operations run over whole images at once."""
    return rows[:, :, None] & columns.repeat_interleave(channels, 1)[:, None, :]


def _span(centre: Tensor, size: Tensor, limit: int) -> Tensor:
    start = (centre - size // 2)[:, None]
    position = torch.arange(limit, device=centre.device)
    return (position >= start) & (position < start + size[:, None])
