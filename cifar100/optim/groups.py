"""Parameter groups by weight decay."""

from collections.abc import Iterable
from typing import Any

from torch import nn


def decay_groups(
    named_parameters: Iterable[tuple[str, nn.Parameter]], weight_decay: float, decay_norm_and_bias: bool
) -> list[dict[str, Any]]:
    """Parameter groups for a torch optimizer: with weight decay first, then without; an empty one is left out.

    With `decay_norm_and_bias=False` norms and biases (parameters of one dimension) go without, as in "Bag of Tricks"
    (arXiv 1812.01187, section 3.1), and so do, whatever their shape, layer scales and what is called a bias, such as
    the `relative_bias` of positions in self-attention. Frozen parameters belong to no group.
    """
    trainable = [(name, parameter) for name, parameter in named_parameters if parameter.requires_grad]
    if decay_norm_and_bias:
        decayed, plain = [parameter for _, parameter in trainable], []
    else:
        decayed = [parameter for name, parameter in trainable if not _is_norm_or_bias(name, parameter)]
        plain = [parameter for name, parameter in trainable if _is_norm_or_bias(name, parameter)]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _is_norm_or_bias(name: str, parameter: nn.Parameter) -> bool:
    own = name.rpartition(".")[2]
    return parameter.ndim <= 1 or own.endswith("bias") or "layerscale" in name.lower().replace("_", "")
