"""Group normalisation."""

from math import gcd

from torch import nn

from cifar100.models.checks import check_at_least


class GroupNorm2d(nn.GroupNorm):
    """Normalises each image over groups of channels (Wu and He, arXiv 1803.08494, equation 7). Keeps the shape
    ``(n, channels, h, w)``.

    Deviation: where ``num_groups`` does not divide the channels, their greatest common divisor is used, so that
    every width of the study is possible.

    Args:
        channels: of the feature map.
        num_groups: at most so many groups; 1 is layer normalisation over channels and pixels.
        eps: added to the variance.

    Raises:
        ValueError: fewer than one group.
    """

    def __init__(self, channels: int, *, num_groups: int = 8, eps: float = 1e-5) -> None:
        check_at_least("norm.num_groups", num_groups, 1, "32 is the paper's")
        super().__init__(gcd(num_groups, channels), channels, eps=eps)
