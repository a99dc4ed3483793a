"""Split attention, the spatial operator of ResNeSt."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_kernel_size
from cifar100.models.shape import Shape


class SplitAttentionMixer(nn.Module):
    """A grouped convolution to ``radix`` candidates ("splits") of every output channel, mixed per channel by weights
    that come from the image's channel means (Zhang et al., arXiv 2004.08955, section 3.1, equations 1 to 3, in the
    radix-major order of section 3.2): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    As published, norm and activation come between the convolution and the mixing, so what goes out is ``activated``:
    ``block=resnest`` adds none of its own, other blocks norm once more. Deviation: means are taken before splits are
    summed, not after; both are linear, so only rounding differs, and a pass over the feature maps is saved.

    Args:
        shape: what the mixer maps.
        norm: port ``(channels)``.
        activation: port ``()``.
        kernel_size: odd; 3 in the paper.
        radix: splits per cardinal group; 2 in the paper's networks, 1 is squeeze-and-excitation by a sigmoid.
        cardinality: cardinal groups; 1 in the paper's networks.
        reduction: input channels times radix over hidden units; 4 in the authors' code.
        min_hidden: hidden units are no fewer; 32 in the authors' code.

    Raises:
        ValueError: an even kernel, or groups that do not divide the channels.
    """

    activated = True

    def __init__(
        self,
        shape: Shape,
        *,
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        kernel_size: int = 3,
        radix: int = 2,
        cardinality: int = 1,
        reduction: int = 4,
        min_hidden: int = 32,
    ) -> None:
        super().__init__()
        check_kernel_size("mixer.kernel_size", kernel_size)
        _check_groups(shape, radix, cardinality)
        channels = shape.out_channels
        self.conv = nn.Conv2d(
            shape.in_channels,
            channels * radix,
            kernel_size,
            shape.stride,
            kernel_size // 2,
            groups=cardinality * radix,
            bias=False,
        )
        self.norm = norm(channels * radix)
        self.activation = activation()
        hidden = hidden_units(shape.in_channels, radix, reduction, min_hidden)
        self.weights = SplitWeights(channels, hidden, radix, cardinality, norm=norm, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.norm(self.conv(x)))
        means = x.mean((2, 3)).unflatten(1, (self.weights.radix, -1)).sum(1)
        return weighted_sum(x.chunk(self.weights.radix, dim=1), self.weights(means))


class SplitWeights(nn.Module):
    """The attention over splits: a perceptron of one hidden layer per cardinal group, then a softmax over the splits of
    each channel, or a sigmoid where there is one split (arXiv 2004.08955, equation 3). Maps the means of the summed
    splits ``(n, channels)`` to weights ``(n, radix, channels)``.

    Args:
        channels: of each split.
        hidden: units of the hidden layer, rounded up to a multiple of ``cardinality``.
        radix: number of splits.
        cardinality: groups that are weighed apart from each other.
        norm: port ``(channels)``, on the hidden layer.
        activation: port ``()``, on the hidden layer.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        radix: int,
        cardinality: int = 1,
        *,
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
    ) -> None:
        super().__init__()
        hidden = -(-hidden // cardinality) * cardinality
        self.radix, self.cardinality = radix, cardinality
        self.reduce = nn.Conv2d(channels, hidden, 1, groups=cardinality)
        self.norm = norm(hidden)
        self.activation = activation()
        self.expand = nn.Conv2d(hidden, channels * radix, 1, groups=cardinality)

    def forward(self, means: Tensor) -> Tensor:
        hidden = self.activation(self.norm(self.reduce(means[..., None, None])))
        logits = self.expand(hidden).flatten(1)
        if self.radix == 1:
            return torch.sigmoid(logits).unflatten(1, (1, -1))
        # The grouped convolution puts out cardinal group by cardinal group, but feature maps come split by split.
        logits = logits.unflatten(1, (self.cardinality, self.radix, -1))
        return logits.softmax(2).transpose(1, 2).flatten(2)


def weighted_sum(splits: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Splits ``(n, channels, h, w)`` times their weights ``(n, radix, channels)``, summed (arXiv 2004.08955, equation
    2); split by split, which on ``channels_last`` tensors is faster than one product of five axes."""
    weights = weights[..., None, None].unbind(1)
    return reduce(add, (split * weight for split, weight in zip(splits, weights, strict=True)))


def hidden_units(in_channels: int, radix: int, reduction: int, min_hidden: int) -> int:
    """Units of the hidden layer of :class:`SplitWeights`.

    Raises:
        ValueError: a reduction or a minimum below 1.
    """
    check_at_least("mixer.reduction", reduction, 1, "4 is the authors'")
    check_at_least("mixer.min_hidden", min_hidden, 1, "32 is the authors'")
    return max(in_channels * radix // reduction, min_hidden)


def _check_groups(shape: Shape, radix: int, cardinality: int) -> None:
    check_at_least("mixer.radix", radix, 1, "2 is the paper's")
    check_at_least("mixer.cardinality", cardinality, 1, "1 is usual")
    if shape.in_channels % (radix * cardinality) or shape.out_channels % cardinality:
        raise ValueError(
            f"mixer.radix={radix} times mixer.cardinality={cardinality} must divide the {shape.in_channels} channels "
            f"that come in, and the cardinality the {shape.out_channels} that go out; "
            "choose smaller ones or other model.widths"
        )
