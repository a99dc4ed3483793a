"""The deep stem of ResNet-C, ResNet-D and ResNeSt."""

from collections.abc import Callable

from torch import Tensor, nn


class DeepStem(nn.Module):
    """Three 3x3 convolutions, the first two of half width, in place of one of 7x7 (He et al., arXiv 1812.01187, figure
    2b; ResNeSt, arXiv 2004.08955, section 4.1): ``(n, in_channels, h, w)`` to ``(n, out_channels, h / stride, ...)``.

    At ImageNet's size the first convolution strides and max pooling follows (``stem.conv_stride=2 stem.pool=true``).

    Args:
        in_channels: channels of an image.
        out_channels: channels of the feature map.
        hidden_norm: port ``(channels)``, after the first two convolutions.
        hidden_activation: port ``()``, after the first two convolutions.
        norm: port ``(channels)`` after the last one, or null (pre-activation networks, whose blocks begin with one).
        activation: port ``()`` after the last one, or null.
        conv_stride: of the first convolution, 1 or 2.
        pool: whether a 3x3 max pooling of stride 2 follows.

    Raises:
        ValueError: another stride, or fewer than two output channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_norm: Callable[[int], nn.Module],
        hidden_activation: Callable[[], nn.Module],
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] | None = None,
        conv_stride: int = 1,
        pool: bool = False,
    ) -> None:
        super().__init__()
        if conv_stride not in (1, 2):
            raise ValueError(f"stem.conv_stride={conv_stride} must be 1 or 2; stem.pool=true halves once more")
        if out_channels < 2:
            raise ValueError(f"stem=deep halves its {out_channels} channels; give model.stem_width at least 2")
        self.stride = conv_stride * (2 if pool else 1)
        hidden = out_channels // 2
        self.conv1 = nn.Conv2d(in_channels, hidden, 3, conv_stride, 1, bias=False)
        self.norm1 = hidden_norm(hidden)
        self.activation1 = hidden_activation()
        self.conv2 = nn.Conv2d(hidden, hidden, 3, 1, 1, bias=False)
        self.norm2 = hidden_norm(hidden)
        self.activation2 = hidden_activation()
        self.conv3 = nn.Conv2d(hidden, out_channels, 3, 1, 1, bias=norm is None)
        self.norm3 = norm(out_channels) if norm else nn.Identity()
        self.activation3 = activation() if activation else nn.Identity()
        self.pool = nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        x = self.activation1(self.norm1(self.conv1(images)))
        x = self.activation2(self.norm2(self.conv2(x)))
        return self.pool(self.activation3(self.norm3(self.conv3(x))))
