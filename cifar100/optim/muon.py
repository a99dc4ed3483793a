"""Muon for the hidden matrices of a network, AdamW for its other parameters, in one optimizer."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, check_range
from cifar100.optim.adamw import check_betas
from cifar100.optim.groups import decay_groups
from cifar100.optim.muon_with_adamw import MuonWithAdamW

LR_ADJUSTMENTS = ("original", "match_rms_adamw", "spectral_unclamped")


def muon(
    model: nn.Module,
    lr: float = 1e-3,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_steps: int = 5,
    adjust_lr_fn: str = "match_rms_adamw",
    weight_decay: float = 0.05,
    adamw_modules: Sequence[str] = ("stem", "head"),
    adamw_lr: float = 1e-3,
    adamw_betas: Sequence[float] = (0.9, 0.999),
    adamw_eps: float = 1e-8,
    decay_norm_and_bias: bool = False,
) -> MuonWithAdamW:
    """Muon (https://kellerjordan.github.io/posts/muon/) over the hidden matrices of `model`, AdamW over the rest.

    Hidden matrices are the weights of linear layers and of convolutions with groups=1, with more than one row and
    column, outside `adamw_modules` (the author leaves the first and the last layer to AdamW). Kernels of grouped and
    depthwise convolutions are no map between all channels and go to AdamW, as do norms, biases, scales and bare
    parameters.

    Deviation: `adjust_lr_fn` is by default "match_rms_adamw" (arXiv 2502.16982, equation 4), so that both parts share
    learning rates of AdamW's size; the author's "original" wants an `lr` near 0.02.
    """
    weight_decay = check_range("weight_decay", weight_decay, 0.05, minimum=0)
    muon_options = {
        "algorithm": "muon",
        "lr": check_range("lr", lr, 1e-3, above=0),
        "weight_decay": weight_decay,
        "momentum": check_range("momentum", momentum, 0.95, minimum=0, below=1),
        "nesterov": check_flag("nesterov", nesterov),
        "ns_steps": _check_ns_steps(ns_steps),
        "adjust_lr_fn": _check_adjustment(adjust_lr_fn),
    }
    adamw_options = {
        "algorithm": "adamw",
        "lr": check_range("adamw_lr", adamw_lr, 1e-3, above=0),
        "betas": check_betas(adamw_betas, "adamw_betas"),
        "eps": check_range("adamw_eps", adamw_eps, 1e-8, above=0),
        "fused": True,
    }
    matrices = _hidden_matrices(model, adamw_modules)
    chosen = {id(parameter) for parameter in matrices}
    rest = [(name, parameter) for name, parameter in model.named_parameters() if id(parameter) not in chosen]
    groups: list[dict[str, Any]] = [{"params": matrices, **muon_options}]
    for group in decay_groups(rest, weight_decay, check_flag("decay_norm_and_bias", decay_norm_and_bias)):
        groups.append({**group, **adamw_options})
    return MuonWithAdamW(groups, lr=muon_options["lr"])


def _hidden_matrices(model: nn.Module, adamw_modules: Sequence[str]) -> list[nn.Parameter]:
    modules = dict(model.named_modules())
    if isinstance(adamw_modules, str) or not hasattr(adamw_modules, "__iter__"):
        raise UserError(f"adamw_modules={adamw_modules!r} must be a list; use for instance adamw_modules=[stem,head]")
    for name in adamw_modules:
        if name not in modules:
            known = ", ".join(child for child, _ in model.named_children())
            raise UserError(f"adamw_modules names {name!r}, which the network has not; use some of {known}")
    found: dict[nn.Parameter, None] = {}
    for path, module in modules.items():
        if not any(path == name or path.startswith(f"{name}.") for name in adamw_modules) and _is_matrix(module):
            found[module.weight] = None
    if not found:
        raise UserError(
            f"optimizer=muon finds no hidden matrix outside adamw_modules={list(adamw_modules)}; use optimizer=adamw"
        )
    return list(found)


def _is_matrix(module: nn.Module) -> bool:
    if not isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return False
    weight = module.weight
    return weight.requires_grad and getattr(module, "groups", 1) == 1 and min(len(weight), weight[0].numel()) > 1


def _check_ns_steps(ns_steps: int) -> int:
    if check_range("ns_steps", ns_steps, 5, minimum=1, below=100) != int(ns_steps):
        raise UserError(f"ns_steps={ns_steps!r} must be a whole number; use for instance ns_steps=5")
    return int(ns_steps)


def _check_adjustment(adjust_lr_fn: str) -> str:
    if adjust_lr_fn not in LR_ADJUSTMENTS:
        raise UserError(f"adjust_lr_fn={adjust_lr_fn!r} is unknown; use one of {', '.join(LR_ADJUSTMENTS)}")
    return adjust_lr_fn
