"""Downsampling by one convolution."""

from collections.abc import Callable

from torch import nn

from cifar100.models.shape import Shape


class ConvDownsample(nn.Sequential):
    """A norm and a convolution with kernel and stride equal (ConvNeXt's "separate downsampling layers", arXiv
    2201.03545, section 2.6): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the layer maps.
        norm: port ``(channels)``.
    """

    def __init__(self, shape: Shape, *, norm: Callable[[int], nn.Module]) -> None:
        conv = nn.Conv2d(shape.in_channels, shape.out_channels, shape.stride, shape.stride)
        super().__init__(norm(shape.in_channels), conv)
