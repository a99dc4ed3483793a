"""Memory layouts that fused optimizer kernels can be trusted with."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def keep_layouts(optimizer: Optimizer) -> Optimizer:
    """Before every step, bring gradients and states into the memory layout of their parameter.

    The fused kernels of torch 2.14 walk parameter, gradient and state by address, whatever their strides: with a
    parameter in channels_last and a momentum that a checkpoint gave back contiguous, they update the wrong elements and
    say nothing. Where the layouts agree, which is the rule, nothing is copied.
    """
    optimizer.register_step_pre_hook(_align)
    return optimizer


def _align(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            if _differs(parameter.grad, parameter):
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
