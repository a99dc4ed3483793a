"""The initialisation that torch's layers bring."""

from torch import nn

from cifar100.models.init.last_norm import zero_last_norms


def torch_default(network: nn.Module, *, zero_last_norm: bool = False) -> None:
    """Leaves every weight as its layer's constructor drew it: ``kaiming_uniform_`` with ``a=sqrt(5)`` for convolutions.

    Args:
        network: changed in place, if at all.
        zero_last_norm: start every residual branch at zero (arXiv 1706.02677, section 5.1).
    """
    if zero_last_norm:
        zero_last_norms(network)
