"""The block of ConvNeXt."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.checks import check_at_least
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.layer_scale import layer_scale_layer
from cifar100.models.shape import Shape


class ConvNeXtBlock(AttentionBlock):
    """Large-kernel depthwise convolution, one norm, an inverted bottleneck with one activation (Liu et al., arXiv
    2201.03545, figure 4 right). Keeps the shape ``(n, channels, r, r)``.

    Deviations: the depthwise convolution is the mixer port (``mixer=depthwise`` with a 7x7 kernel and bias in
    ``conf/block/convnext.yaml``), the paper's LN and GELU are the norm and activation ports; attention, absent
    in the paper, sits on the branch before LayerScale.

    Args:
        shape: what the block maps; must be constant.
        expansion: hidden over outer channels; 4 in the paper.
        layer_scale: start value of LayerScale (arXiv 2103.17239); null for none.

    Raises:
        ValueError: a shape that changes, or an expansion below 1.
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
        attention_position: str = "standard",
        expansion: int = 4,
        layer_scale: float | None = 1e-6,
    ) -> None:
        super().__init__()
        shape.require_constant("convnext")
        check_at_least("block.expansion", expansion, 1, "4 is the paper's")
        channels, hidden = shape.out_channels, shape.out_channels * expansion
        self.mixer = mixer(shape)
        self.norm = norm(channels)
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.activation = activation()
        self.project = nn.Conv2d(hidden, channels, 1)
        self.place_attention(attention, attention_position, pre=channels, inner=hidden, out=channels)
        self.layer_scale = layer_scale_layer(channels, layer_scale)
        self.drop_path = drop_path_layer(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation(self.expand(self.norm(self.mixer(self.attend("pre", x)))))
        out = self.attend("standard", self.project(self.attend("inner", out)))
        return self.attend("post", self.attend("identity", x) + self.drop_path(self.layer_scale(out)))
