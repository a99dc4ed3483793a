"""The block of ResNet-50 and deeper."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.block.shortcut import shortcut as build_shortcut
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.shape import Shape


class BottleneckBlock(AttentionBlock):
    """1x1 convolution to fewer channels, spatial operator, 1x1 convolution back (He et al., arXiv 1512.03385, figure 5
    right): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    ``shape.out_channels`` is the wide end: ``model.widths`` of ResNet-50 are 256, 512, 1024, 2048. Deviations: the
    spatial operator, not the first 1x1 convolution, strides (known as v1.5); it is the mixer port; attention sits
    on the branch before the addition (arXiv 1709.01507).

    Args:
        expansion: wide over narrow channels; 4 in the paper.
        shortcut: ``projection``, ``avgpool`` or ``padding``, see :func:`~cifar100.models.block.shortcut.shortcut`.

    Raises:
        ValueError: an expansion that does not divide the output channels.
    """

    last_norm = "norm3"
    for_changed_shapes = ("shortcut",)

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
        shortcut: str = "projection",
    ) -> None:
        super().__init__()
        if expansion < 1 or shape.out_channels % expansion:
            raise ValueError(
                f"block.expansion={expansion} must divide the {shape.out_channels} output channels; "
                "choose another expansion or other model.widths"
            )
        narrow = shape.out_channels // expansion
        self.conv1 = nn.Conv2d(shape.in_channels, narrow, 1, bias=False)
        self.norm1 = norm(narrow)
        self.activation1 = activation()
        self.mixer = mixer(Shape(narrow, narrow, shape.stride, shape.resolution))
        self.norm2 = norm(narrow)
        self.activation2 = activation()
        self.conv3 = nn.Conv2d(narrow, shape.out_channels, 1, bias=False)
        self.norm3 = norm(shape.out_channels)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=narrow, out=shape.out_channels)
        self.drop_path = drop_path_layer(drop_path)
        self.shortcut = build_shortcut(shape, shortcut, norm)
        self.activation3 = activation()

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation1(self.norm1(self.conv1(self.attend("pre", x))))
        out = self.activation2(self.norm2(self.mixer(out)))
        out = self.norm3(self.conv3(self.attend("inner", out)))
        out = self.drop_path(self.attend("standard", out)) + self.attend("identity", self.shortcut(x))
        return self.attend("post", self.activation3(out))
