"""The multi-scale convolutional attention of SegNeXt."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from cifar100.models.checks import check_kernel_size
from cifar100.models.depthwise_conv import DepthwiseConv2d
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class MultiScaleConvolutionalAttention(nn.Module):
    """Multiplies features by a weighting from depthwise convolutions of several sizes, each large one split into a row
    and a column strip (Guo et al., arXiv 2209.08575, equations 1 and 2, figure 2): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    The 1x1 convolutions and the activation around the weighting, and the shortcut over all of it, are the attention
    unit of figure 2a as the authors' code has it. Deviation: where the shape changes, which the paper's networks leave
    to other layers, average pooling and a 1x1 convolution come first.

    Args:
        shape: what the mixer maps.
        activation: port ``()``; GELU in the paper.
        kernel_size: of the first, square kernel; odd.
        strip_sizes: lengths of the strips, one pair of strips each; odd.

    Raises:
        ValueError: an even kernel.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        activation: Callable[[], nn.Module],
        kernel_size: int = 5,
        strip_sizes: Sequence[int] = (7, 11, 21),
    ) -> None:
        super().__init__()
        check_kernel_size("mixer.kernel_size", kernel_size)
        for size in strip_sizes:
            check_kernel_size("mixer.strip_sizes", size)
        channels = shape.out_channels
        self.entry = pooled_projection(shape)
        self.project_in = nn.Conv2d(channels, channels, 1)
        self.activation = activation()
        self.local = _depthwise(channels, kernel_size, kernel_size)
        self.strips = nn.ModuleList(
            nn.Sequential(_depthwise(channels, 1, size), _depthwise(channels, size, 1)) for size in strip_sizes
        )
        self.weigh = nn.Conv2d(channels, channels, 1)
        self.project_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.entry(x)
        features = self.activation(self.project_in(x))
        scales = local = self.local(features)
        for strip in self.strips:
            scales = scales + strip(local)
        return x + self.project_out(self.weigh(scales) * features)


def _depthwise(channels: int, height: int, width: int) -> nn.Conv2d:
    return DepthwiseConv2d(channels, channels, (height, width), padding=(height // 2, width // 2), groups=channels)
