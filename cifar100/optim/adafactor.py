"""Adafactor."""

from collections.abc import Sequence
from typing import Any

import transformers
from torch import nn

from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, check_range
from cifar100.optim.eager import Eager
from cifar100.optim.groups import decay_groups


class Adafactor(Eager, transformers.Adafactor):
    """transformers.Adafactor (arXiv 1804.04235) whose relative step can be scheduled.

    With `relative_step=True` transformers ignores the group's learning rate and with it every schedule. Here the
    relative step min(1e-2, 1/sqrt(t)) is multiplied by it, so that a warm-up or a decay has its effect; at 1, as with a
    constant schedule, the update is transformers'. As there, a kernel is factored over its last two dimensions (height
    and width), not over its channels.
    """

    @staticmethod
    def _get_lr(param_group: dict[str, Any], param_state: dict[str, Any]) -> Any:
        lr = transformers.Adafactor._get_lr(param_group, param_state)
        return lr * param_group["lr"] if param_group["relative_step"] else lr


def adafactor(
    model: nn.Module,
    lr: float | None = 1e-3,
    eps: Sequence[float] = (1e-30, 1e-3),
    clip_threshold: float = 1.0,
    decay_rate: float = -0.8,
    beta1: float | None = None,
    weight_decay: float = 0.05,
    scale_parameter: bool = False,
    relative_step: bool = False,
    warmup_init: bool = False,
    decay_norm_and_bias: bool = False,
) -> Adafactor:
    """Adafactor over the parameters of `model`, with the lr given or its own relative step (and `lr=null`)."""
    weight_decay = check_range("weight_decay", weight_decay, 0.05, minimum=0)
    groups = decay_groups(
        model.named_parameters(), weight_decay, check_flag("decay_norm_and_bias", decay_norm_and_bias)
    )
    options = {
        "eps": _check_eps(eps),
        "clip_threshold": check_range("clip_threshold", clip_threshold, 1.0, above=0),
        "decay_rate": check_range("decay_rate", decay_rate, -0.8, below=0),
        "beta1": None if beta1 is None else check_range("beta1", beta1, 0.9, minimum=0, below=1),
        "weight_decay": weight_decay,
        "scale_parameter": check_flag("scale_parameter", scale_parameter),
        "relative_step": check_flag("relative_step", relative_step),
        "warmup_init": check_flag("warmup_init", warmup_init),
    }
    optimizer = Adafactor(groups, lr=_check_lr(lr, relative_step, warmup_init), **options)
    if relative_step:
        for defaults in (optimizer.defaults, *optimizer.param_groups):
            defaults["lr"] = 1.0
    return optimizer


def _check_lr(lr: float | None, relative_step: bool, warmup_init: bool) -> float | None:
    if relative_step and lr is not None:
        raise UserError(f"lr={lr!r} cannot be combined with relative_step=True, which computes its own; use lr=null")
    if warmup_init and not relative_step:
        raise UserError("warmup_init=True warms up the relative step, which is off; use relative_step=true lr=null")
    return None if relative_step else check_range("lr", lr, 1e-3, above=0)


def _check_eps(eps: Sequence[float]) -> tuple[float, float]:
    if isinstance(eps, str) or not hasattr(eps, "__len__") or len(eps) != 2:
        raise UserError(f"eps={eps!r} must be two numbers; use for instance eps=[1e-30,1e-3]")
    return check_range("eps[0]", eps[0], 1e-30, above=0), check_range("eps[1]", eps[1], 1e-3, above=0)
