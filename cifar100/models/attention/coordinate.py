"""Coordinate attention."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_at_least


class CoordinateAttention(nn.Module):
    """Weighs each channel's rows and columns, by what a shared bottleneck makes of their means (Hou et al., arXiv
    2103.02907, equations 4 to 9, figure 2c). Keeps the shape ``(n, channels, h, w)``.

    Deviation: the bottleneck's batch norm is the norm port; its activation is the authors' hard swish.

    Args:
        channels: of the feature map.
        norm: port ``(channels)``.
        reduction: channels over those of the bottleneck; 32 in the paper.
        min_hidden: channels that the bottleneck has at least; 8 in the authors' code.

    Raises:
        ValueError: a reduction or a least width below 1.
    """

    def __init__(
        self, channels: int, *, norm: Callable[[int], nn.Module], reduction: int = 32, min_hidden: int = 8
    ) -> None:
        super().__init__()
        check_at_least("attention.reduction", reduction, 1, "32 is the paper's")
        check_at_least("attention.min_hidden", min_hidden, 1, "8 is the paper's")
        hidden = max(min_hidden, channels // reduction)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.norm = norm(hidden)
        self.activation = nn.Hardswish()
        self.expand_rows = nn.Conv2d(hidden, channels, 1)
        self.expand_columns = nn.Conv2d(hidden, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        means = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        rows, columns = self.activation(self.norm(self.reduce(means))).split([height, width], 2)
        return x * self.gate(self.expand_rows(rows)) * self.gate(self.expand_columns(columns.transpose(2, 3)))
