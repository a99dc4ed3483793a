"""LayerScale."""

import torch
from torch import Tensor, nn


class LayerScale(nn.Module):
    """One learnt factor per channel on a residual branch (Touvron et al., arXiv 2103.17239, equation 4). Keeps the
    shape ``(n, channels, h, w)``.

    Args:
        channels: of the feature map.
        value: the factors' start.
    """

    def __init__(self, channels: int, value: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), float(value)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale[:, None, None]


def layer_scale_layer(channels: int, value: float | None) -> nn.Module:
    """``LayerScale``, or the identity where ``value`` is null."""
    return nn.Identity() if value is None else LayerScale(channels, value)
