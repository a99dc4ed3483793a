"""Cutout (DeVries and Taylor, arXiv 1708.04552)."""

from __future__ import annotations

import torch
from torch import Tensor

from .counter import random_below


def cutout(images: Tensor, ids: Tensor, key: int, size: int) -> Tensor:
    """Zero a size x size square of each normalised image, its centre anywhere in the image, its rest cut off.

    images float32 (n, H, W, C); zero is the channel mean, section 3.2. The paper uses 16 pixels for CIFAR-10 and
    8 for CIFAR-100.
    """
    inside = box(ids, key, images.shape[1], images.shape[2], torch.full_like(ids, size), torch.full_like(ids, size))
    return images.masked_fill(inside[..., None], 0.0)


def box(ids: Tensor, key: int, height: int, width: int, box_height: Tensor, box_width: Tensor) -> Tensor:
    """bool (n, height, width): inside a box per image, with a uniform centre, cut off at the border.

    box_height, box_width int64 (n,) in pixels.
    """
    rows = _span(random_below(ids, key, height), box_height, height)
    columns = _span(random_below(ids, key + 1, width), box_width, width)
    return rows[:, :, None] & columns[:, None, :]


def _span(centre: Tensor, size: Tensor, limit: int) -> Tensor:
    start = (centre - size // 2)[:, None]
    position = torch.arange(limit, device=centre.device)
    return (position >= start) & (position < start + size[:, None])
