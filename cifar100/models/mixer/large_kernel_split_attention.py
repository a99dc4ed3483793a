"""Split attention over large depthwise kernels, one of the study's two hybrids."""

from collections.abc import Callable, Sequence
from functools import reduce
from math import gcd
from operator import add

from torch import Tensor, nn

from cifar100.models.checks import check_kernel_size
from cifar100.models.depthwise_conv import DepthwiseConv2d
from cifar100.models.mixer.split_attention import SplitWeights, hidden_units, weighted_sum
from cifar100.models.shape import Shape


class LargeKernelSplitAttentionMixer(nn.Module):
    """Depthwise convolutions of several sizes side by side, each a split of ResNeSt's attention: per channel and image,
    a softmax weighs what the kernels see (splits and weights: Zhang et al., arXiv 2004.08955, equations 1 to 3; large
    depthwise kernels: ConvNeXt, arXiv 2201.03545, section 2.5; branches of different kernels: SKNet, arXiv
    1903.06586, section 3.1). ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    It does not mix channels, as the depthwise convolution it stands for does not; it belongs in an inverted bottleneck,
    whose 1x1 convolutions do: ``block=convnext`` (before the expansion) or ``block=mbconv`` (on expanded channels).
    This is the study's own design, so there is no published network to agree with. What goes out is ``activated``.
    Where the channel count changes, there are as many groups as both counts allow.

    Args:
        shape: what the mixer maps.
        norm: port ``(channels)``.
        activation: port ``()``.
        kernel_sizes: one odd size per split.
        reduction: input channels times splits over hidden units.
        min_hidden: hidden units are no fewer.

    Raises:
        ValueError: no kernel, or an even one.
    """

    activated = True

    def __init__(
        self,
        shape: Shape,
        *,
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        kernel_sizes: Sequence[int] = (5, 7),
        reduction: int = 4,
        min_hidden: int = 32,
    ) -> None:
        super().__init__()
        if not kernel_sizes:
            raise ValueError("mixer.kernel_sizes=[] must name at least one kernel; [5, 7] is the study's")
        for kernel_size in kernel_sizes:
            check_kernel_size("mixer.kernel_sizes", kernel_size)
        channels, radix = shape.out_channels, len(kernel_sizes)
        self.convs = nn.ModuleList(_depthwise(shape, kernel_size) for kernel_size in kernel_sizes)
        self.norms = nn.ModuleList(norm(channels) for _ in kernel_sizes)
        self.activation = activation()
        hidden = hidden_units(shape.in_channels, radix, reduction, min_hidden)
        self.weights = SplitWeights(channels, hidden, radix, norm=norm, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        splits = [self.activation(norm(conv(x))) for conv, norm in zip(self.convs, self.norms, strict=True)]
        means = reduce(add, (split.mean((2, 3)) for split in splits))
        return weighted_sum(splits, self.weights(means))


def _depthwise(shape: Shape, kernel_size: int) -> nn.Conv2d:
    return DepthwiseConv2d(
        shape.in_channels,
        shape.out_channels,
        kernel_size,
        shape.stride,
        kernel_size // 2,
        groups=gcd(shape.in_channels, shape.out_channels),
        bias=False,
    )
