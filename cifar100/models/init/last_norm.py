"""The zero start of residual branches, an option of every initialisation."""

from torch import nn


def zero_last_norms(network: nn.Module) -> None:
    """Sets the scale of the last norm of every residual branch to zero, so that each block starts as its shortcut
    (Goyal et al., arXiv 1706.02677, section 5.1). A block names that norm in its attribute ``last_norm``.

    Raises:
        ValueError: no block of the network ends its branch with a norm that has a scale.
    """
    names = [f"{name}.{module.last_norm}" for name, module in network.named_modules() if hasattr(module, "last_norm")]
    weights = [getattr(network.get_submodule(name), "weight", None) for name in names]
    weights = [weight for weight in weights if weight is not None]
    if not weights:
        raise ValueError(
            "init.zero_last_norm=true finds no residual branch that ends with a norm; "
            "use block=basic or block=bottleneck with norm=bn, or leave it out"
        )
    for weight in weights:
        nn.init.zeros_(weight)
