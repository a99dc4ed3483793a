"""Downsampling by an overlapping strided convolution."""

from collections.abc import Callable

from torch import nn

from cifar100.models.shape import Shape


class StridedConvDownsample(nn.Sequential):
    """A strided 3x3 convolution, norm and activation, as between the stages of CSPResNet (arXiv 1911.11929):
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the layer maps.
        norm: port ``(channels)``.
        activation: port ``()``.
    """

    def __init__(self, shape: Shape, *, norm: Callable[[int], nn.Module], activation: Callable[[], nn.Module]) -> None:
        conv = nn.Conv2d(shape.in_channels, shape.out_channels, 3, shape.stride, 1, bias=False)
        super().__init__(conv, norm(shape.out_channels), activation())
