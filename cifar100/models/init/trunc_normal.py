"""Truncated normal initialisation."""

from torch import nn

from cifar100.models.checks import check_positive
from cifar100.models.init.last_norm import zero_last_norms


def trunc_normal(network: nn.Module, *, std: float = 0.02, zero_last_norm: bool = False) -> None:
    """Draws every convolution and linear weight from a normal distribution cut at two units, biases zero, as ConvNeXt
    and the vision transformers do (arXiv 2201.03545, appendix A.1).

    Args:
        network: changed in place.
        std: deviation of the normal distribution.
        zero_last_norm: start every residual branch at zero (arXiv 1706.02677, section 5.1).

    Raises:
        ValueError: a deviation that is not positive, or nothing to set to zero.
    """
    check_positive("init.std", std, "the papers use 0.02")
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if zero_last_norm:
        zero_last_norms(network)
