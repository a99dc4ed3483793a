"""The recursive gated convolution of HorNet."""

from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_kernel_size
from cifar100.models.depthwise_conv import DepthwiseConv2d
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class RecursiveGatedConvolution(nn.Module):
    """``order`` gates in a row, each multiplying twice as many channels by depthwise-convolved ones (gnConv; Rao et
    al., arXiv 2207.14284, section 3.1): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, ...)``.

    Gate ``k`` of ``0 ... order - 1`` works on ``out_channels // 2^(order - 1 - k)`` channels. The paper gives its four
    stages the orders 2, 3, 4 and 5; as their widths double, that is what leaves the first gate of every stage
    the same number of channels, here ``narrowest``. Deviation: where the shape changes, which the paper's networks
    leave to other layers, average pooling and a 1x1 convolution come first.

    Args:
        shape: what the mixer maps.
        order: number of gates; null for as many as leave the first one at least ``narrowest`` channels.
        narrowest: channels of the first gate with ``order=null``; 32 in HorNet-T, 16 for the narrower networks here.
        kernel_size: of the depthwise convolution; odd.
        alpha: divides the depthwise features ; 3 in the authors' code.

    Raises:
        ValueError: an order that the channels are too few for or that comes with ``narrowest``, an even kernel,
            ``narrowest`` below 1, or ``alpha`` 0.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        order: int | None = None,
        narrowest: int = 16,
        kernel_size: int = 7,
        alpha: float = 3.0,
    ) -> None:
        super().__init__()
        channels = shape.out_channels
        check_kernel_size("mixer.kernel_size", kernel_size)
        check_at_least("mixer.narrowest", narrowest, 1, "16 is the paper's")
        if order is not None and narrowest != 16:
            raise ValueError(
                f"mixer.narrowest={narrowest} has no effect beside mixer.order={order}; leave one of them out"
            )
        if alpha == 0:
            raise ValueError("mixer.alpha=0 divides by zero; use 3, the authors' value")
        order = max(1, (channels // narrowest).bit_length()) if order is None else order
        if not 1 <= order <= channels.bit_length():
            raise ValueError(
                f"mixer.order={order} must lie between 1 and {channels.bit_length()} at {channels} channels, which are "
                "halved order - 1 times; mixer.order=null adapts it to the channels"
            )
        self.widths = [channels // 2**index for index in reversed(range(order))]
        self.alpha = alpha
        gated = sum(self.widths)
        self.entry = pooled_projection(shape)
        self.project_in = nn.Conv2d(channels, self.widths[0] + gated, 1)
        self.depthwise = DepthwiseConv2d(gated, gated, kernel_size, padding=kernel_size // 2, groups=gated)
        self.widen = nn.ModuleList(
            nn.Conv2d(narrow, wide, 1) for narrow, wide in zip(self.widths, self.widths[1:], strict=False)
        )
        self.project_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.project_in(self.entry(x))
        first, rest = x.split([self.widths[0], sum(self.widths)], 1)
        gates = (self.depthwise(rest) / self.alpha).split(self.widths, 1)
        x = first * gates[0]
        for widen, gate in zip(self.widen, gates[1:], strict=True):
            x = widen(x) * gate
        return self.project_out(x)
