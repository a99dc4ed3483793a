"""The convolutional block attention module."""

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_kernel_size


class ConvolutionalBlockAttention(nn.Module):
    """Weighs channels by a shared perceptron of their means and maxima, then pixels by a convolution over the mean and
    maximum of all channels (CBAM; Woo et al., arXiv 1807.06521, equations 2 and 3, figure 2). Keeps the shape
    ``(n, channels, h, w)``.

    Deviation from equation 3, with the authors' code: a batch norm after the spatial convolution. It is one whatever
    the norm port holds, since a norm over the channels of a map that has one would leave nothing of it.

    Args:
        channels: of the feature map.
        reduction: channels over hidden units of the perceptron, at least one unit; 16 in the paper.
        kernel_size: of the spatial convolution, odd; 7 in the paper.
        spatial_norm: whether the batch norm is there.

    Raises:
        ValueError: a reduction below 1 or an even kernel.
    """

    def __init__(self, channels: int, *, reduction: int = 16, kernel_size: int = 7, spatial_norm: bool = True) -> None:
        super().__init__()
        check_at_least("attention.reduction", reduction, 1, "1 means no bottleneck")
        check_kernel_size("attention.kernel_size", kernel_size)
        hidden = max(1, channels // reduction)
        self.reduce = nn.Linear(channels, hidden, bias=False)
        self.activation = nn.ReLU()
        self.expand = nn.Linear(hidden, channels, bias=False)
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = nn.BatchNorm2d(1) if spatial_norm else nn.Identity()
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.gate(self.perceptron(x.mean((2, 3))) + self.perceptron(x.amax((2, 3))))
        x = x * weights[:, :, None, None]
        pixels = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * self.gate(self.norm(self.conv(pixels)))

    def perceptron(self, pooled: Tensor) -> Tensor:
        """The summands of the channels' weights, ``(n, channels)`` to ``(n, channels)``."""
        return self.expand(self.activation(self.reduce(pooled)))
