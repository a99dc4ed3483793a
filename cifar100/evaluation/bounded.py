"""Networks described by anybody: looked at without their weights, and refused when they are too large to be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as registration
from torch.utils._python_dispatch import TorchDispatchMode

from cifar100.base.errors import UserError
from cifar100.base.text import one_line
from cifar100.base.trees import items
from cifar100.config import load_model

MOST_VALUES = 2**28  # parameters and buffers; 1 GiB in float32
MOST_MODULES = 20_000  # the deepest recipe of this project has some hundreds
MOST_BLOCKS = 2_000
MOST_PER_PIXEL = 2**13  # values that one step makes of an image, for each of its pixels: channels, more or less
LARGEST_NUMBER = 2**16


class _TooLarge(ValueError):
    pass


def outline(model: Mapping[str, Any], source: str) -> nn.Module:
    """The network that a record's `model` describes, on torch's meta device: names and shapes, no memory.

    Args:
        source: what the description is from, for the message.

    Raises:
        ValueError: no network of this checkout's primitives, one that is too large, or one that does not map images of
            its own size to its classes.
    """
    _check_numbers(model, source)
    try:
        with torch.device("meta"), _bounded():
            network = load_model({"model": model})
            shape = (1, network.in_channels, network.resolution, network.resolution)
            with torch.no_grad(), _Watched(MOST_PER_PIXEL * network.resolution**2):
                logits = network.eval()(torch.empty(shape))
    except Exception as error:  # torch answers numbers that fit nothing with an IndexError, too
        raise UserError(one_line(f"{source}: {error or type(error).__name__}")) from None
    if tuple(logits.shape) != (1, network.num_classes):
        raise UserError(f"{source}: the network maps an image to {tuple(logits.shape)}, not to its classes")
    return network


class _Watched(TorchDispatchMode):
    """Stops a forward pass at the first result of more than `most` values: few weights can make large feature maps."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operator(*args, **(kwargs or {}))
        for each in result if isinstance(result, tuple | list) else (result,):
            if isinstance(each, Tensor) and each.numel() > self._most:
                raise _TooLarge(f"a layer makes {each.numel()} values of one image, more than {self._most}")
        return result


def _check_numbers(model: Mapping[str, Any], source: str) -> None:
    """Refuses what would make long lists before the first module is built."""
    for _, node in items(model):
        if isinstance(node, int) and abs(node) > LARGEST_NUMBER:
            raise UserError(f"{source}: the network holds the number {node}, and none of this project has one so large")
    depths = model.get("depths")
    if isinstance(depths, list) and sum(each for each in depths if isinstance(each, int)) > MOST_BLOCKS:
        raise UserError(f"{source}: the network has more than {MOST_BLOCKS} blocks, more than any of this project")


@contextmanager
def _bounded() -> Iterator[None]:
    """Stops the construction, in this thread, of a network that grows beyond all use."""
    values, modules, thread = 0, 0, get_ident()

    def count_values(owner: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal values
        values += tensor.numel() if tensor is not None and get_ident() == thread else 0
        if values > MOST_VALUES:
            raise _TooLarge(f"the network has more than {MOST_VALUES} parameters, more than are built from a record")

    def count_modules(owner: nn.Module, name: str, part: nn.Module | None) -> None:
        nonlocal modules
        modules += get_ident() == thread
        if modules > MOST_MODULES:
            raise _TooLarge(f"the network has more than {MOST_MODULES} modules, more than are built from a record")

    hooks = [
        registration.register_module_parameter_registration_hook(count_values),
        registration.register_module_buffer_registration_hook(count_values),
        registration.register_module_module_registration_hook(count_modules),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
