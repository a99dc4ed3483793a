"""The stem that all choices of the group are cases of: one convolution, then norm, activation and pooling."""

from collections.abc import Callable

from torch import Tensor, nn


class ConvStem(nn.Module):
    """Convolution, norm, activation and max pooling, each but the first optional: ``(n, in_channels, h, w)`` to
    ``(n, out_channels, h / stride, w / stride)``.

    With a 3x3 kernel it is the CIFAR stem of ResNet (arXiv 1512.03385, section 4.2); with 7x7, stride 2 and pooling
    its ImageNet stem (table 1); with kernel and stride equal and no activation the "patchify" stem of ConvNeXt
    (arXiv 2201.03545, section 2.2).

    Args:
        in_channels: channels of an image.
        out_channels: channels of the feature map.
        kernel_size: of the convolution.
        conv_stride: of the convolution.
        bias: whether the convolution has one (ConvNeXt: yes; ResNets, whose norms make it needless: no).
        pool: whether a 3x3 max pooling of stride 2 follows.
        norm: port ``(channels)``, or null for none (pre-activation networks, whose blocks begin with one).
        activation: port ``()``, or null for none.

    Raises:
        ValueError: a kernel smaller than the stride, which would skip pixels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 3,
        conv_stride: int = 1,
        bias: bool = False,
        pool: bool = False,
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if not 1 <= conv_stride <= kernel_size:
            raise ValueError(
                f"stem.conv_stride={conv_stride} must lie between 1 and stem.kernel_size={kernel_size}; "
                "a larger stride would skip pixels"
            )
        self.stride = conv_stride * (2 if pool else 1)
        padding = 0 if kernel_size == conv_stride else (kernel_size - 1) // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, conv_stride, padding, bias=bias)
        self.norm = norm(out_channels) if norm else nn.Identity()
        self.activation = activation() if activation else nn.Identity()
        self.pool = nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        return self.pool(self.activation(self.norm(self.conv(images))))
