"""The block that MLP-Mixer, the vision transformers, SegNeXt, LSKNet and HorNet share."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.checks import check_kernel_size, check_positive
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.layer_scale import layer_scale_layer
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class MetaFormerBlock(AttentionBlock):
    """A branch of norm and spatial operator, then one of norm and channel perceptron, each beside a shortcut (Yu et
    al., arXiv 2111.11418, equations 2 and 3; MLP-Mixer, arXiv 2105.01601, equation 1): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    Where the shape changes, the mixer changes it and the shortcut pools and projects, as in CoAtNet (arXiv 2106.04803,
    appendix A.1); the other papers leave that to a layer of its own, which ``conf/block/metaformer.yaml`` asks
    for. Attention, absent in the papers, sits on the first branch (``inner``: in the perceptron).

    Args:
        drop_path: rate of stochastic depth of each branch.
        expansion: hidden over outer channels of the perceptron; 4 in most papers.
        mlp_kernel_size: of a depthwise convolution among the perceptron's hidden channels, odd; 3 in VAN (arXiv
            2202.09741, "convolutional feed-forward"), SegNeXt and LSKNet; null for none.
        layer_scale: start value of LayerScale (arXiv 2103.17239) on both branches; null for none.

    Raises:
        ValueError: an expansion that is not positive, or an even kernel.
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
        expansion: float = 4,
        mlp_kernel_size: int | None = None,
        layer_scale: float | None = None,
    ) -> None:
        super().__init__()
        check_positive("block.expansion", expansion, "4 is usual")
        if mlp_kernel_size is not None:
            check_kernel_size("block.mlp_kernel_size", mlp_kernel_size, "or null, which leaves the convolution out")
        channels, hidden = shape.out_channels, max(1, round(shape.out_channels * expansion))
        self.shortcut = pooled_projection(shape)
        self.norm1 = norm(shape.in_channels)
        self.mixer = mixer(shape)
        self.layer_scale1 = layer_scale_layer(channels, layer_scale)
        self.norm2 = norm(channels)
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.depthwise = (
            nn.Conv2d(hidden, hidden, mlp_kernel_size, padding=mlp_kernel_size // 2, groups=hidden)
            if mlp_kernel_size
            else nn.Identity()
        )
        self.activation = activation()
        self.project = nn.Conv2d(hidden, channels, 1)
        self.layer_scale2 = layer_scale_layer(channels, layer_scale)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=hidden, out=channels)
        self.drop_path = drop_path_layer(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        out = self.attend("standard", self.mixer(self.norm1(self.attend("pre", x))))
        x = self.attend("identity", self.shortcut(x)) + self.drop_path(self.layer_scale1(out))
        out = self.activation(self.depthwise(self.expand(self.norm2(x))))
        out = self.project(self.attend("inner", out))
        return self.attend("post", x + self.drop_path(self.layer_scale2(out)))
