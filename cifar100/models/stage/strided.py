"""The stage of ResNet: its first block changes resolution and width."""

from collections.abc import Callable, Sequence

from torch import nn

from cifar100.models.shape import Shape


class StridedStage(nn.Sequential):
    """``depth`` blocks of which the first strides (ResNet, arXiv 1512.03385, section 4.2):
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Args:
        shape: what the stage maps.
        depth: number of blocks.
        drop_paths: rate of stochastic depth of each block.
        block: port ``(shape, drop_path)``.
    """

    def __init__(
        self, shape: Shape, depth: int, drop_paths: Sequence[float], *, block: Callable[[Shape, float], nn.Module]
    ) -> None:
        shapes = [shape] + [shape.after()] * (depth - 1)
        super().__init__(*(block(each, rate) for each, rate in zip(shapes, drop_paths, strict=True)))
