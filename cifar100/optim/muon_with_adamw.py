"""The optimizer behind optimizer=muon."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.optim.eager import AdamW, Eager, Muon
from cifar100.optim.layout import keep_layouts

OPTIONS = {
    "muon": ("lr", "weight_decay", "momentum", "nesterov", "ns_steps", "adjust_lr_fn"),
    "adamw": ("lr", "weight_decay", "betas", "eps", "fused"),
}


class MuonWithAdamW(Eager):
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
        inner = Muon(matrices, **options)
        inner.state.update(zip(matrices, states, strict=True))
        inner.step()

    def _adamw_step(self, parameters: list[nn.Parameter], options: dict[str, Any]) -> None:
        inner = AdamW(parameters, **options)
        for parameter in parameters:
            inner.state[parameter] = self.state[parameter]
        inner.step()


def _matrix(tensor: Tensor, order: list[int]) -> Tensor:
    return tensor.permute(0, *order).view(tensor.shape[0], -1)
