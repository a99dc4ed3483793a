"""Parameters and multiply-adds of a network, in all and by module, counted by fvcore on a trace of one image.

Conventions are fvcore's (one multiply-add is one; see `operators` for what is added to it), so that ResNet-20 with
projection shortcuts holds 278,324 parameters and 41.2 million multiply-adds at 3x32x32.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cifar100.evaluation.operators import ELEMENTWISE, MULTIPLY_ADDS


@dataclass(frozen=True)
class LayerCosts:
    """One module: its dotted name ("" is the network), class, output shape without the batch (None if it was not
    called or gives no tensor), parameters and multiply-adds, both including what it contains."""

    name: str
    type: str
    output_shape: tuple[int, ...] | None
    parameters: int
    macs: int


@dataclass(frozen=True)
class Costs:
    """Parameters, multiply-adds for one image, operators of unknown cost with their number of calls, modules."""

    parameters: int
    macs: int
    uncounted: Mapping[str, int]
    layers: tuple[LayerCosts, ...]


def count_costs(model: nn.Module, input_shape: tuple[int, int, int]) -> Costs:
    """Counts `model` on one image of `input_shape` (channels, height, width), in evaluation mode.

    A compiled model is counted as the module it wraps. The model is left as it was found: mode and weights untouched.
    Operators that are neither counted nor known to hold no multiply-add come back in `uncounted`.
    """
    model = getattr(model, "_orig_mod", model)
    parameter = next(model.parameters(), torch.empty(0))
    image = torch.zeros(1, *input_shape, device=parameter.device, dtype=parameter.dtype)
    with evaluation_mode(model):
        shapes = _output_shapes(model, image)
        analysis = _analysis(model, image)
    macs = analysis.by_module()
    layers = tuple(
        LayerCosts(name, type(module).__name__, shapes.get(name), _parameters(module), int(macs[name]))
        for name, module in model.named_modules()
    )
    return Costs(_parameters(model), int(macs[""]), dict(sorted(analysis.unsupported_ops().items())), layers)


def stage_costs(costs: Costs) -> list[dict[str, Any]]:
    """The output and the costs of each part of a network, as a record keeps them: the stem, each stage, the head.

    Each has `name`, `output` (the shape without the batch, null where it is no tensor), `parameters` and `macs`, both
    including what it contains.
    """
    names = ("stem", "head")
    return [
        {"name": each.name, "output": each.output_shape and list(each.output_shape), "parameters": each.parameters,
         "macs": each.macs}
        for each in costs.layers
        if each.name in names or (each.name.startswith("stages.") and each.name.count(".") == 1)
    ]  # fmt: skip


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for the length of the block; afterwards every module is in the mode it was in."""
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in training:
            module.training = mode


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _output_shapes(model: nn.Module, image: torch.Tensor) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def remember(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                shapes[name] = tuple(output.shape[1:])

        return hook

    handles = [module.register_forward_hook(remember(name)) for name, module in model.named_modules()]
    try:
        with torch.no_grad():
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _analysis(model: nn.Module, image: torch.Tensor) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore uses torch.jit.script, which warns of its own deprecation
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(model, image)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        analysis.set_op_handle(**MULTIPLY_ADDS, **dict.fromkeys(ELEMENTWISE))
        analysis.total()
    return analysis
