"""The path around a residual block whose shape changes; not a port, since only strided blocks have one."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from cifar100.models.checks import check_choice
from cifar100.models.shape import Shape

KINDS = ("projection", "avgpool", "padding")


def shortcut(shape: Shape, kind: str, norm: Callable[[int], nn.Module]) -> nn.Module:
    """The shortcut of a block that maps ``shape``; the identity where the shape is kept.

    Args:
        shape: what the block maps.
        kind: ``projection``, a strided 1x1 convolution and norm (ResNet option B, arXiv 1512.03385, section 3.3);
            ``avgpool``, average pooling before an unstrided one (ResNet-D, arXiv 1812.01187, figure 2c);
            ``padding``, subsampling and zero channels, without parameters (option A).
        norm: port ``(channels)``.

    Raises:
        ValueError: another kind, or padding where channels would have to be removed.
    """
    check_choice("block.shortcut", kind, KINDS)
    if shape.constant:
        return nn.Identity()
    if kind == "padding":
        return PaddingShortcut(shape)
    pool = [nn.AvgPool2d(shape.stride)] if kind == "avgpool" and shape.stride > 1 else []
    stride = 1 if pool else shape.stride
    conv = nn.Conv2d(shape.in_channels, shape.out_channels, 1, stride, bias=False)
    return nn.Sequential(*pool, conv, norm(shape.out_channels))


class PaddingShortcut(nn.Module):
    """Every ``stride``-th pixel, new channels zero, half on each side (ResNet option A, arXiv 1512.03385)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        missing = shape.out_channels - shape.in_channels
        if missing < 0:
            raise ValueError(
                f"block.shortcut=padding cannot narrow {shape.in_channels} channels to {shape.out_channels}; "
                "use block.shortcut=projection"
            )
        self.stride, self.padding = shape.stride, (missing // 2, missing - missing // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.padding))
