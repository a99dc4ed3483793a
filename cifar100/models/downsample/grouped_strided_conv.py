"""Downsampling by a grouped strided convolution."""

from collections.abc import Callable

from torch import nn

from cifar100.models.checks import check_groups
from cifar100.models.shape import Shape


class GroupedStridedConvDownsample(nn.Sequential):
    """A strided 3x3 convolution whose channels are in groups, norm and activation, as between the stages of CSPResNeXt
    (arXiv 1911.11929, in the authors' configuration): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the layer maps.
        norm: port ``(channels)``.
        activation: port ``()``.
        groups: channel groups (cardinality in ResNeXt, arXiv 1611.05431); 32 in CSPResNeXt-50.

    Raises:
        ValueError: groups that do not divide both channel counts.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        groups: int = 4,
    ) -> None:
        check_groups("downsample.groups", groups, shape.in_channels, shape.out_channels)
        conv = nn.Conv2d(shape.in_channels, shape.out_channels, 3, shape.stride, 1, groups=groups, bias=False)
        super().__init__(conv, norm(shape.out_channels), activation())
