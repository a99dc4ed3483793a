"""Muon for the hidden matrices of a network, AdamW for its other parameters, in one optimizer."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.optim.adamw import check_betas
from cifar100.optim.groups import decay_groups
from cifar100.optim.layout import keep_layouts
from cifar100.optim.ranges import check_flag, check_range

LR_ADJUSTMENTS = ("original", "match_rms_adamw", "spectral_unclamped")
OPTIONS = {
    "muon": ("lr", "weight_decay", "momentum", "nesterov", "ns_steps", "adjust_lr_fn"),
    "adamw": ("lr", "weight_decay", "betas", "eps", "fused"),
}


class MuonWithAdamW(torch.optim.Optimizer):
    """torch.optim.Muon and torch.optim.AdamW over different groups of one optimizer.

    Each group names its `algorithm`, "muon" or "adamw", and holds the options that OPTIONS lists for it. Parameters
    keep their shapes here and in the state; torch.optim.Muon, which takes matrices only, is given views
    (out, in * height * width) of kernel, gradient and momentum. The columns stand in the order of memory, so that a
    view costs nothing in any layout; orthogonalisation does not depend on their order beyond rounding.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr})
        keep_layouts(self)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Update every parameter that has a gradient. The library's optimizers are made anew over the kept states."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            options = {name: group[name] for name in OPTIONS[group["algorithm"]]}
            (self._muon_step if group["algorithm"] == "muon" else self._adamw_step)(parameters, options)
        return loss

    def _muon_step(self, parameters: list[nn.Parameter], options: dict[str, Any]) -> None:
        matrices, states = [], []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            order = sorted(range(1, parameter.ndim), key=lambda dim: -parameter.stride(dim))
            matrix = _matrix(parameter.detach(), order)
            matrix.grad = _matrix(parameter.grad, order)
            matrices.append(matrix)
            states.append({"momentum_buffer": _matrix(state["momentum_buffer"], order)})
        inner = torch.optim.Muon(matrices, **options)
        inner.state.update(zip(matrices, states, strict=True))
        inner.step()

    def _adamw_step(self, parameters: list[nn.Parameter], options: dict[str, Any]) -> None:
        inner = torch.optim.AdamW(parameters, **options)
        for parameter in parameters:
            inner.state[parameter] = self.state[parameter]
        inner.step()


def _matrix(tensor: Tensor, order: list[int]) -> Tensor:
    return tensor.permute(0, *order).view(tensor.shape[0], -1)


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

    Deviations: `adjust_lr_fn` is by default "match_rms_adamw" (arXiv 2502.16982, equation 4), so that both parts share
    learning rates of AdamW's size; the author's "original" wants an `lr` near 0.02. torch averages the momentum
    (lerp) where the author sums it, which orthogonalisation undoes.
    """
    lr = check_range("lr", lr, 1e-3, above=0)
    weight_decay = check_range("weight_decay", weight_decay, 0.05, minimum=0)
    if adjust_lr_fn not in LR_ADJUSTMENTS:
        raise ValueError(f"adjust_lr_fn={adjust_lr_fn!r} is unknown; use one of {', '.join(LR_ADJUSTMENTS)}")
    if int(check_range("ns_steps", ns_steps, 5, minimum=1, below=100)) != ns_steps:
        raise ValueError(f"ns_steps={ns_steps!r} must be a whole number; use for instance ns_steps=5")
    matrices = _hidden_matrices(model, adamw_modules)
    if not matrices:
        raise ValueError(
            f"optimizer=muon finds no hidden matrix outside adamw_modules={list(adamw_modules)}; use optimizer=adamw"
        )
    muon_options = {
        "algorithm": "muon",
        "lr": lr,
        "weight_decay": weight_decay,
        "momentum": check_range("momentum", momentum, 0.95, minimum=0, below=1),
        "nesterov": check_flag("nesterov", nesterov),
        "ns_steps": int(ns_steps),
        "adjust_lr_fn": adjust_lr_fn,
    }
    adamw_options = {
        "algorithm": "adamw",
        "lr": check_range("adamw_lr", adamw_lr, 1e-3, above=0),
        "betas": check_betas(adamw_betas),
        "eps": check_range("adamw_eps", adamw_eps, 1e-8, above=0),
        "fused": True,
    }
    chosen = {id(parameter) for parameter in matrices}
    rest = [(name, parameter) for name, parameter in model.named_parameters() if id(parameter) not in chosen]
    groups = decay_groups(rest, weight_decay, check_flag("decay_norm_and_bias", decay_norm_and_bias))
    return MuonWithAdamW([{"params": matrices, **muon_options}, *({**group, **adamw_options} for group in groups)], lr)


def _hidden_matrices(model: nn.Module, adamw_modules: Sequence[str]) -> list[nn.Parameter]:
    modules = dict(model.named_modules())
    for name in adamw_modules:
        if name not in modules:
            near = ", ".join(child for child, _ in model.named_children())
            raise ValueError(
                f"adamw_modules={list(adamw_modules)} names no module {name!r} of the network; use some of: {near}"
            )
    found: dict[nn.Parameter, None] = {}
    for path, module in modules.items():
        outside = not any(path == name or path.startswith(f"{name}.") for name in adamw_modules)
        if (
            outside
            and isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
            and module.weight.requires_grad
        ):
            weight = module.weight
            if getattr(module, "groups", 1) == 1 and min(weight.shape[0], weight[0].numel()) > 1:
                found[weight] = None
    return list(found)
