"""Downsampling by average pooling."""

from collections.abc import Callable

from torch import nn

from cifar100.models.shape import Shape


class AvgPoolDownsample(nn.Sequential):
    """Average pooling, then a 1x1 convolution and norm, so that no pixel is skipped (ResNet-D, arXiv 1812.01187, figure
    2c): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the layer maps.
        norm: port ``(channels)``.
    """

    def __init__(self, shape: Shape, *, norm: Callable[[int], nn.Module]) -> None:
        conv = nn.Conv2d(shape.in_channels, shape.out_channels, 1, bias=False)
        super().__init__(nn.AvgPool2d(shape.stride), conv, norm(shape.out_channels))
