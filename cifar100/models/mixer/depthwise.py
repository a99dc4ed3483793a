"""The depthwise convolution."""

from math import gcd

from cifar100.models.checks import check_kernel_size
from cifar100.models.depthwise_conv import DepthwiseConv2d
from cifar100.models.shape import Shape


class DepthwiseMixer(DepthwiseConv2d):
    """A convolution that filters channels one by one (MobileNet, arXiv 1704.04861, equation 3; ConvNeXt's spatial
    operator, arXiv 2201.03545, section 2.3): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, ...)``.

    Where the channel count changes it has as many groups as both counts allow, their greatest common divisor: a
    channel multiplier of 2 where a stage doubles its width. It does not mix groups; the block's 1x1 convolutions do.

    Args:
        shape: what the mixer maps.
        kernel_size: odd.
        dilation: spacing of the kernel's taps.
        bias: whether each output channel has one (ConvNeXt: yes; needless where a batch norm follows).

    Raises:
        ValueError: an even kernel.
    """

    def __init__(self, shape: Shape, *, kernel_size: int = 7, dilation: int = 1, bias: bool = True) -> None:
        check_kernel_size("mixer.kernel_size", kernel_size)
        super().__init__(
            shape.in_channels,
            shape.out_channels,
            kernel_size,
            stride=shape.stride,
            padding=dilation * (kernel_size // 2),
            dilation=dilation,
            groups=gcd(shape.in_channels, shape.out_channels),
            bias=bias,
        )
