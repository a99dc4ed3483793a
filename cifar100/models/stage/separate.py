"""The stage of ConvNeXt: a layer of its own changes the shape, the blocks keep it."""

from collections.abc import Callable, Sequence

from torch import nn

from cifar100.models.shape import Shape


class SeparateStage(nn.Sequential):
    """A downsample layer where the shape changes, then ``depth`` shape-keeping blocks (ConvNeXt, arXiv 2201.03545,
    section 2.6 "separate downsampling layers"): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, ...)``.

    Args:
        shape: what the stage maps.
        depth: number of blocks.
        drop_paths: rate of stochastic depth of each block.
        block: port ``(shape, drop_path)``.
        downsample: port ``(shape)``.
    """

    def __init__(
        self,
        shape: Shape,
        depth: int,
        drop_paths: Sequence[float],
        *,
        block: Callable[[Shape, float], nn.Module],
        downsample: Callable[[Shape], nn.Module],
    ) -> None:
        layers = [] if shape.constant else [downsample(shape)]
        layers += [block(shape.after(), rate) for rate in drop_paths[:depth]]
        super().__init__(*layers)
