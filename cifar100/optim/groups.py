"""Parameter groups: by weight decay, and by the learning rate of head and backbone."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from cifar100.base.errors import UserError
from cifar100.base.values import check_range


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


def scale_backbone(optimizer: torch.optim.Optimizer, model: nn.Module, factor: float) -> None:
    """Multiplies the learning rate of everything but ``model.head`` by ``factor``, whatever optimizer it is.

    Groups of head and backbone are parted, those of the head first, whose learning rate metrics show. To be called
    before the schedule is made, which multiplies each group's own learning rate.

    Raises:
        UserError: a factor that is not above 0, or a frozen backbone.
    """
    factor = check_range("backbone_lr_factor", factor, 0.1, above=0)
    if factor == 1:
        return
    head = {id(parameter) for parameter in model.head.parameters()}
    parts: tuple[list[dict[str, Any]], ...] = ([], [])
    for group in optimizer.param_groups:
        for part, lr, inside in zip(parts, (group["lr"], group["lr"] * factor), (True, False), strict=True):
            parameters = [each for each in group["params"] if (id(each) in head) == inside]
            if parameters:
                part.append({**group, "params": parameters, "lr": lr})
    if not parts[1]:
        raise UserError(f"backbone_lr_factor={factor:g} has no effect with freeze=backbone; leave one of them out")
    optimizer.param_groups[:] = [*parts[0], *parts[1]]


def _is_norm_or_bias(name: str, parameter: nn.Parameter) -> bool:
    own = name.rpartition(".")[2]
    return parameter.ndim <= 1 or own.endswith("bias") or "layerscale" in name.lower().replace("_", "")
