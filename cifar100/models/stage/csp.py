"""The stage of CSPNet: a part of the channels passes the blocks by."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_choice, check_positive
from cifar100.models.in_place import in_place
from cifar100.models.shape import Shape

FUSIONS = ("first", "last", "both")


class CSPStage(nn.Module):
    """A downsample layer, a split of the channels, blocks on one part, and transitions that merge both (Wang et al.,
    arXiv 1911.11929, equation 3, figure 3): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, ...)``.

    The fusions of figure 3: ``both`` (b) is transition, concatenation, transition; ``first`` (c) is concatenation,
    transition; ``last`` (d) is transition, concatenation. A transition is a 1x1 convolution, norm and activation, as in
    the authors' configurations. Blocks get constant shapes unless ``growth`` says otherwise, so any block fits.

    Without ``expansion`` the downsample layer brings the new width and its output is split as it is, as in CSPDenseNet.
    With it, the published CSPResNet and CSPResNeXt are met: the downsample layer keeps the width (and is absent at
    stride 1), and a 1x1 convolution and norm make ``expansion * out_channels`` channels to split; one convolution
    stands for the two, one per part, that the authors' configurations have.

    Args:
        shape: what the stage maps.
        depth: number of blocks.
        drop_paths: rate of stochastic depth of each block.
        block: port ``(shape, drop_path)``.
        downsample: port ``(shape)``.
        norm: port ``(channels)``, in transitions.
        activation: port ``()``, in transitions.
        split_ratio: share of the channels that goes through the blocks; 1 leaves none to pass by: the plain network
            that a CSP network is to be set against.
        fusion: ``first``, ``last`` or ``both``.
        expansion: channels to split over ``out_channels``; null for no convolution before the split.
        growth: channels that each block adds, a dense block's growth rate; 0 for blocks that keep their width.

    Raises:
        ValueError: an option out of range, a part without channels, or a fusion that leaves the blocks none.
    """

    def __init__(
        self,
        shape: Shape,
        depth: int,
        drop_paths: Sequence[float],
        *,
        block: Callable[[Shape, float], nn.Module],
        downsample: Callable[[Shape], nn.Module],
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        split_ratio: float = 0.5,
        fusion: str = "both",
        expansion: float | None = None,
        growth: int = 0,
    ) -> None:
        super().__init__()
        _check(fusion, expansion, growth)
        channels = shape.out_channels
        width = channels if expansion is None else round(channels * expansion)
        through = _through(width, split_ratio)
        self.parts = around, _ = width - through, through
        grown = through + depth * growth
        self.downsample, self.expand = nn.Identity(), nn.Identity()
        if expansion is not None:
            shrink = Shape(shape.in_channels, shape.in_channels, shape.stride, shape.resolution)
            self.downsample = downsample(shrink) if shape.stride > 1 else nn.Identity()
            self.expand = nn.Sequential(nn.Conv2d(shape.in_channels, width, 1, bias=False), norm(width))
        elif not shape.constant:
            self.downsample = downsample(shape)
        widths = range(through, grown + 1, growth) if growth else [through] * (depth + 1)
        shapes = [Shape(*pair, 1, shape.out_resolution) for pair in zip(widths[:-1], widths[1:], strict=True)]
        self.blocks = nn.Sequential(*(block(each, rate) for each, rate in zip(shapes, drop_paths, strict=True)))
        self.transition1, self.transition2 = nn.Identity(), nn.Identity()
        if fusion == "last" and around >= channels:
            raise ValueError(
                f"stage.fusion=last leaves the blocks none of the {channels} output channels, since {around} pass by; "
                "use stage.fusion=both, or a larger stage.split_ratio"
            )
        if fusion != "first":
            merged = through if fusion == "both" else channels - around
            self.transition1 = _transition(grown, merged, norm, activation)
            grown = merged
        if fusion != "last":
            self.transition2 = _transition(around + grown, channels, norm, activation)

    def forward(self, x: Tensor) -> Tensor:
        around, through = self.expand(self.downsample(x)).split(self.parts, dim=1)
        # Copied, since batch norm is slow on a slice of channels_last maps: blocks that begin with one gain 3 to 7%.
        through = self.transition1(self.blocks(through.clone()))
        return self.transition2(torch.cat([around, through], dim=1))


def _transition(
    in_channels: int, out_channels: int, norm: Callable[[int], nn.Module], activation: Callable[[], nn.Module]
) -> nn.Sequential:
    normalise = norm(out_channels)
    activate = in_place(activation(), after=normalise)
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), normalise, activate)


def _through(width: int, split_ratio: float) -> int:
    """Channels that go through the blocks; both parts have some, but where the ratio is 1."""
    through = round(width * split_ratio) if 0 < split_ratio <= 1 else 0
    if through < 1 or (through == width and split_ratio < 1):
        raise ValueError(
            f"stage.split_ratio={split_ratio} must lie above 0, be at most 1, and leave both parts of {width} channels "
            "at least one; 0.5 is the paper's"
        )
    return through


def _check(fusion: str, expansion: float | None, growth: int) -> None:
    check_choice("stage.fusion", fusion, FUSIONS)
    if expansion is not None:
        check_positive("stage.expansion", expansion, "null leaves the convolution out")
    check_at_least("stage.growth", growth, 0, "0 is for blocks that keep their width")
