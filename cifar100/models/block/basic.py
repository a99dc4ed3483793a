"""The block of ResNet-18, ResNet-34 and the CIFAR ResNets."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.block.shortcut import shortcut as build_shortcut
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.shape import Shape


class BasicBlock(AttentionBlock):
    """Two spatial operators with norms around a shortcut (He et al., arXiv 1512.03385, figure 5 left):
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Deviation: the two 3x3 convolutions are the mixer port, so other spatial operators fit; attention, absent in the
    paper, sits where SENet puts it (arXiv 1709.01507, figure 3) unless told otherwise.

    Args:
        shortcut: ``projection``, ``avgpool`` or ``padding``, see :func:`~cifar100.models.block.shortcut.shortcut`.
    """

    last_norm = "norm2"
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
        shortcut: str = "projection",
    ) -> None:
        super().__init__()
        channels = shape.out_channels
        self.mixer1 = mixer(shape)
        self.norm1 = norm(channels)
        self.activation1 = activation()
        self.mixer2 = mixer(shape.after())
        self.norm2 = norm(channels)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=channels, out=channels)
        self.drop_path = drop_path_layer(drop_path)
        self.shortcut = build_shortcut(shape, shortcut, norm)
        self.activation2 = activation()

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation1(self.norm1(self.mixer1(self.attend("pre", x))))
        out = self.norm2(self.mixer2(self.attend("inner", out)))
        out = self.drop_path(self.attend("standard", out)) + self.attend("identity", self.shortcut(x))
        return self.attend("post", self.activation2(out))
