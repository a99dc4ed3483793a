"""The plain convolution, the mixer that every other one is measured against."""

from torch import nn

from cifar100.models.checks import check_groups, check_kernel_size
from cifar100.models.shape import Shape


class ConvMixer(nn.Conv2d):
    """A ``kernel_size`` x ``kernel_size`` convolution without bias, padded to keep the grid:
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the mixer maps.
        kernel_size: odd.
        groups: channel groups (cardinality in ResNeXt, arXiv 1611.05431).
        dilation: spacing of the kernel's taps.

    Raises:
        ValueError: an even kernel, or groups that do not divide both channel counts.
    """

    def __init__(self, shape: Shape, *, kernel_size: int = 3, groups: int = 1, dilation: int = 1) -> None:
        check_kernel_size("mixer.kernel_size", kernel_size)
        check_groups("mixer.groups", groups, shape.in_channels, shape.out_channels)
        super().__init__(
            shape.in_channels,
            shape.out_channels,
            kernel_size,
            stride=shape.stride,
            padding=dilation * (kernel_size // 2),
            dilation=dilation,
            groups=groups,
            bias=False,
        )
