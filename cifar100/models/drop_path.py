"""Stochastic depth."""

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_rate


class DropPath(nn.Module):
    """Drops a residual branch per image while training (stochastic depth; Huang et al., arXiv 1603.09382, equation 2)
    and divides what is kept by the probability to keep it, so that evaluation needs no rescaling (a deviation from
    the paper, which rescales at test time; the expectation is the same). Keeps the shape ``(n, ...)``.

    Raises:
        ValueError: a rate outside [0, 1).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        check_rate("drop_path", rate)
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = torch.empty((len(x),) + (1,) * (x.ndim - 1), dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * mask.div_(keep)

    def extra_repr(self) -> str:
        return f"rate={self.rate:.3f}"


def drop_path_layer(rate: float) -> nn.Module:
    """``DropPath``, or the identity where nothing would ever be dropped."""
    return DropPath(rate) if rate else nn.Identity()
