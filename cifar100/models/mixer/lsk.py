"""The large selective kernel of LSKNet."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_kernel_size
from cifar100.models.depthwise_conv import depthwise_conv2d, within_reach
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class LargeSelectiveKernel(nn.Module):
    """Multiplies features by a weighting from a chain of depthwise convolutions of growing size and dilation, among
    whose links each pixel selects (Li et al., arXiv 2303.09030, sections 3.2 and 3.3): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    The 1x1 convolutions and the activation around the weighting are the paper's large kernel selection sub-block; the
    shortcut over all of it and the division of the channels among the links are those of the authors' code.
    Deviation: where the shape changes, which the paper's networks leave to other layers, average pooling and a 1x1
    convolution come first.

    Args:
        shape: what the mixer maps.
        activation: port ``()``; GELU in the paper.
        kernel_sizes: of the chain's depthwise convolutions; odd.
        dilations: of the same; 5x5 then 7x7 at dilation 3 see 23x23 pixels.

    Raises:
        ValueError: an even kernel, a dilation below 1, or lists that are empty or of different length.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        activation: Callable[[], nn.Module],
        kernel_sizes: Sequence[int] = (5, 7),
        dilations: Sequence[int] = (1, 3),
    ) -> None:
        super().__init__()
        _check(kernel_sizes, dilations)
        channels = shape.out_channels
        links = len(kernel_sizes)
        narrow = max(1, channels // links)
        self.entry = pooled_projection(shape)
        self.project_in = nn.Conv2d(channels, channels, 1)
        self.activation = activation()
        self.chain = nn.ModuleList(
            _ReachingConv2d(channels, channels, size, dilation=dilation, groups=channels)
            for size, dilation in zip(kernel_sizes, dilations, strict=True)
        )
        self.reduce = nn.ModuleList(nn.Conv2d(channels, narrow, 1) for _ in range(links))
        self.select = nn.Conv2d(2, links, 7, padding=3)
        self.gate = nn.Sigmoid()
        self.weigh = nn.Conv2d(narrow, channels, 1)
        self.project_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.entry(x)
        features = link = self.activation(self.project_in(x))
        links = []
        for convolve, reduce in zip(self.chain, self.reduce, strict=True):
            link = convolve(link)
            links.append(reduce(link))
        joined = torch.cat(links, 1)
        pooled = torch.cat([joined.mean(1, keepdim=True), joined.amax(1, keepdim=True)], 1)
        masks = self.gate(self.select(pooled)).split(1, 1)
        selected = sum(mask * link for mask, link in zip(masks, links, strict=True))
        return x + self.project_out(self.weigh(selected) * features)


class _ReachingConv2d(nn.Conv2d):
    """A depthwise convolution padded to keep the map, without the taps that reach beyond it from every pixel: they see
    padding only, and on small maps they are most of a dilated kernel and of its time."""

    def forward(self, x: Tensor) -> Tensor:
        kernel = within_reach(self.weight, x.shape[2:], self.dilation)
        return depthwise_conv2d(x, kernel, self.bias, self.dilation, training=self.training)


def _check(kernel_sizes: Sequence[int], dilations: Sequence[int]) -> None:
    if not kernel_sizes or len(kernel_sizes) != len(dilations):
        raise ValueError(
            f"mixer.kernel_sizes={list(kernel_sizes)} and mixer.dilations={list(dilations)} must name one value each "
            "for every convolution of the chain; the paper has [5,7] and [1,3]"
        )
    for size in kernel_sizes:
        check_kernel_size("mixer.kernel_sizes", size)
    for dilation in dilations:
        check_at_least("mixer.dilations", dilation, 1, "1 and 3 are the paper's")
