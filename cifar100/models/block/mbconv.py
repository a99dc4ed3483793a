"""The inverted bottleneck of CoAtNet."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.checks import check_positive
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class MBConvBlock(AttentionBlock):
    """1x1 convolution to more channels, spatial operator, attention, 1x1 convolution back, with a norm before the first
    (MobileNetV2's inverted bottleneck, arXiv 1801.04381, with squeeze-and-excitation, in the pre-activation form of
    CoAtNet; Dai et al., arXiv 2106.04803, appendix A.1): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    The paper's depthwise 3x3 convolution and squeeze-and-excitation are the mixer and attention ports
    (``mixer=depthwise3x3 attention=se`` in ``conf/block/mbconv.yaml``; its reduction of 16 hidden channels is the
    paper's shrinkage of 0.25 of the block's). Deviation: the spatial operator, not the 1x1 convolution before
    it, strides, so that no pixel is skipped.

    Args:
        expansion: hidden over output channels; 4 in the paper.

    Raises:
        ValueError: an expansion that is not positive.
    """

    def __init__(
        self,
        shape: Shape,
        drop_path: float = 0.0,
        *,
        mixer: Callable[[Shape], nn.Module],
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        attention: Callable[[int], nn.Module],
        attention_position: str = "inner",
        expansion: float = 4,
    ) -> None:
        super().__init__()
        check_positive("block.expansion", expansion, "4 is the paper's")
        hidden = max(1, round(shape.out_channels * expansion))
        self.shortcut = pooled_projection(shape)
        self.norm1 = norm(shape.in_channels)
        self.expand = nn.Conv2d(shape.in_channels, hidden, 1, bias=False)
        self.norm2 = norm(hidden)
        self.activation1 = activation()
        self.mixer = mixer(Shape(hidden, hidden, shape.stride, shape.resolution))
        self.norm3 = norm(hidden)
        self.activation2 = activation()
        self.project = nn.Conv2d(hidden, shape.out_channels, 1)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=hidden, out=shape.out_channels)
        self.drop_path = drop_path_layer(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation1(self.norm2(self.expand(self.norm1(self.attend("pre", x)))))
        out = self.attend("inner", self.activation2(self.norm3(self.mixer(out))))
        out = self.attend("standard", self.project(out))
        return self.attend("post", self.attend("identity", self.shortcut(x)) + self.drop_path(out))
