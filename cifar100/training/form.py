"""The form of an optimizer's and a schedule's state, checked before it is believed."""

import copy
import math
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cifar100.base.errors import UserError
from cifar100.base.values import is_number

# What a state of another form raises, wherever it is taken up.
UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def check_form(
    optimizer: Optimizer, scheduler: LRScheduler, optimizer_state: dict[str, Any], scheduler_state: dict[str, Any]
) -> None:
    """Raises one of UNFIT where the states have not the form that those of copies have after a step: optimizers look at
    no shape of what they load, and the fused ones read and write beyond a tensor that is too small."""
    copies = copy.deepcopy((optimizer, scheduler))
    try:
        with warnings.catch_warnings(action="ignore"):  # that the copy's step is not the one that a schedule watches
            _step(*copies)
    except UNFIT:
        return  # of a kind that keeps what copies lack
    ours = copies[0].state_dict()
    for index, state in optimizer_state["state"].items():
        _check_alike(state, ours["state"][index])
    for group, known in zip(optimizer_state["param_groups"], ours["param_groups"], strict=True):
        _check_alike(
            {key: group[key] for key in group.keys() & known}, {key: known[key] for key in group.keys() & known}
        )
    copies[1].load_state_dict(scheduler_state)
    copies[1].step()
    if not all(math.isfinite(group["lr"]) for group in copies[0].param_groups):
        raise UserError("its learning rate is no finite number")


def _check_alike(theirs: Any, ours: Any) -> None:
    """Raises one of UNFIT where one is no tensor of the other's shape, or a value of another kind."""
    if isinstance(ours, Tensor) or isinstance(theirs, Tensor):
        if theirs.shape != ours.shape or theirs.is_floating_point() != ours.is_floating_point():
            raise UserError(f"a tensor of its optimizer has the shape {tuple(theirs.shape)}, not {tuple(ours.shape)}")
    elif isinstance(ours, dict):
        if theirs.keys() != ours.keys():
            raise UserError("its optimizer keeps other things")
        for key, value in ours.items():
            _check_alike(theirs[key], value)
    elif isinstance(ours, list | tuple):
        for one, other in zip(theirs, ours, strict=True):
            _check_alike(one, other)
    elif is_number(theirs) != is_number(ours) or isinstance(theirs, dict | list):  # other machines may have other flags
        raise UserError(f"an option of its optimizer is {str(theirs)[:40]!r}, not {str(ours)[:40]!r}")


def _step(optimizer: Optimizer, scheduler: LRScheduler) -> None:
    """A step by gradients of zero."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    optimizer.step()
    scheduler.step()
