"""Memory layouts that fused optimizer kernels can be trusted with."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def keep_layouts(optimizer: Optimizer) -> Optimizer:
    """Before the first step, and the first one after a checkpoint was loaded, brings gradients and states into the
    memory layout of their parameter.

    The fused kernels of torch 2.14 walk parameter, gradient and state by address, whatever their strides: with a
    parameter in channels_last and a momentum that a checkpoint gave back contiguous, they update the wrong elements and
    say nothing. Later steps keep the layouts: autograd lays out a gradient as its parameter, and states are changed in
    place.
    """
    align = _Align()
    optimizer.register_step_pre_hook(align)
    optimizer.register_load_state_dict_post_hook(align.expect)
    return optimizer


class _Align:
    """A step's hook that acts when something new is to be expected."""

    due = True

    def expect(self, optimizer: Optimizer) -> None:
        self.due = True

    def __call__(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.due:
            _align(optimizer)
            self.due = False


def _align(optimizer: Optimizer) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and _differs(parameter.grad, parameter):
                parameter.grad = _with_layout(parameter.grad, parameter)
            state = optimizer.state.get(parameter, {})
            for key, value in state.items():
                if isinstance(value, Tensor) and _differs(value, parameter):
                    state[key] = _with_layout(value, parameter)


def _differs(tensor: Tensor, reference: Tensor) -> bool:
    """Whether two tensors of one shape lie differently in memory; strides of dimensions of size 1 do not matter."""
    own, other = tensor.stride(), reference.stride()
    if own == other or tensor.shape != reference.shape:
        return False
    return any(a != b and size > 1 for a, b, size in zip(own, other, reference.shape, strict=True))


def _with_layout(tensor: Tensor, reference: Tensor) -> Tensor:
    return torch.empty_like(reference, dtype=tensor.dtype, requires_grad=False).copy_(tensor.detach())
