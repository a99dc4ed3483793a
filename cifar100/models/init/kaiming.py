"""He initialisation."""

from torch import nn

from cifar100.models.init.last_norm import zero_last_norms


def kaiming(network: nn.Module, *, mode: str = "fan_out", zero_last_norm: bool = False) -> None:
    """Draws every convolution kernel from the normal distribution of He et al. (arXiv 1502.01852, equations 10 and
    14) and sets its bias to zero. Norms keep scale 1 and shift 0, linear layers torch's own uniform start, as the
    published ResNet implementations do.

    Args:
        network: changed in place.
        mode: ``fan_out`` (keeps the variance of gradients, equation 14) or ``fan_in`` (of activations, equation 10).
        zero_last_norm: start every residual branch at zero (arXiv 1706.02677, section 5.1).

    Raises:
        ValueError: another mode, or nothing to set to zero.
    """
    if mode not in ("fan_out", "fan_in"):
        raise ValueError(f"init.mode={mode} must be fan_out or fan_in")
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if zero_last_norm:
        zero_last_norms(network)
