"""The pre-activation block."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.checks import check_rate
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.shape import Shape


class PreActBlock(AttentionBlock):
    """Norm and activation before each of two spatial operators (He et al., arXiv 1603.05027, figure 1b; also the block
    of Wide ResNet, arXiv 1605.07146): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Where the shape changes, the shortcut is a strided 1x1 convolution of the pre-activated input, as in the authors'
    code. Networks of this block need a bare stem and a last norm and activation in the head; ``conf/block/preact.yaml``
    asks for both. Deviation: the mixer port stands for the 3x3 convolutions. Attention, absent in the paper, comes last
    on the branch unless told otherwise; ``pre`` is after the first activation, where it leaves the projection alone.

    Args:
        dropout: rate of dropout between the two operators (arXiv 1605.07146, section 2.4).

    Raises:
        ValueError: a dropout rate outside [0, 1).
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
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_rate("block.dropout", dropout)
        channels = shape.out_channels
        self.norm1 = norm(shape.in_channels)
        self.activation1 = activation()
        self.mixer1 = mixer(shape)
        self.norm2 = norm(channels)
        self.activation2 = activation()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.mixer2 = mixer(shape.after())
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=channels, out=channels)
        self.drop_path = drop_path_layer(drop_path)
        self.projection = (
            None if shape.constant else nn.Conv2d(shape.in_channels, channels, 1, shape.stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation1(self.norm1(x))
        shortcut = x if self.projection is None else self.projection(out)
        out = self.mixer1(self.attend("pre", out))
        out = self.attend("inner", self.activation2(self.norm2(out)))
        out = self.mixer2(self.dropout(out))
        out = self.drop_path(self.attend("standard", out)) + self.attend("identity", shortcut)
        return self.attend("post", out)
