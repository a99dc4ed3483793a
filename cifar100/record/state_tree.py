"""State dicts of optimizers, schedulers and random generators as named tensors and JSON, without pickle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

_TENSOR, _TUPLE, _PAIRS, _COUNTER = "__tensor__", "__tuple__", "__pairs__", "__counter__"
_MARKS = {_TENSOR, _TUPLE, _PAIRS, _COUNTER}


def flatten_state(tree: Any, prefix: str) -> tuple[dict[str, Tensor], Any]:
    """Split a tree of dicts, lists, tuples, tensors and scalars into (tensors, JSON data).

    Tensors are named after their place, `prefix` first ("optimizer.state.0.momentum_buffer"). Keys that are numbers,
    tuples and `collections.Counter` (torch.optim.lr_scheduler.MultiStepLR) return as they were. Raises ValueError
    naming the place of anything else, such as a function.
    """
    tensors: dict[str, Tensor] = {}
    return tensors, _flatten(tree, prefix, tensors)


def _flatten(tree: Any, at: str, tensors: dict[str, Tensor]) -> Any:
    import torch

    if isinstance(tree, torch.Tensor):
        while at in tensors:  # {"a.b": x, "a": {"b": y}}
            at += "_"
        tensors[at] = tree
        return {_TENSOR: at}
    if tree is None or isinstance(tree, bool):
        return tree
    for kind in (str, int, float):
        if isinstance(tree, kind):
            return kind.__str__(tree) if kind is str else kind(tree)
    if isinstance(tree, Counter):
        return {_COUNTER: _pairs(tree, at, tensors)}
    if isinstance(tree, Mapping):
        if all(isinstance(key, str) and key not in _MARKS for key in tree):
            return {key: _flatten(item, f"{at}.{key}", tensors) for key, item in tree.items()}
        return {_PAIRS: _pairs(tree, at, tensors)}
    if isinstance(tree, list | tuple):
        items = [_flatten(item, f"{at}.{i}", tensors) for i, item in enumerate(tree)]
        return {_TUPLE: items} if isinstance(tree, tuple) else items
    raise UserError(f"{at} is a {type(tree).__name__}; a state holds tensors, numbers, text, lists and dicts only")


def _pairs(tree: Mapping[Any, Any], at: str, tensors: dict[str, Tensor]) -> list[list[Any]]:
    for key in tree:
        if not isinstance(key, str | int | float):
            raise UserError(f"{at} has a key of type {type(key).__name__}; keys are text or numbers")
    return [[key, _flatten(item, f"{at}.{key}", tensors)] for key, item in tree.items()]


def unflatten_state(data: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The tree that `flatten_state` split. Raises ValueError where a tensor is missing or the data is no such tree."""
    try:
        return _unflatten(data, tensors)
    except KeyError as error:
        raise UserError(f"the state's tensor {error} is missing; another version of the program wrote it") from None
    except (TypeError, RecursionError) as error:
        raise UserError(f"the state is not one that flatten_state made ({error})") from None


def _unflatten(data: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(data, list):
        return [_unflatten(item, tensors) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((mark, value),) = data.items()
        if mark == _TENSOR:
            return tensors[value]
        if mark == _TUPLE:
            return tuple(_unflatten(item, tensors) for item in value)
        if mark in (_PAIRS, _COUNTER):
            pairs = {key: _unflatten(item, tensors) for key, item in value}
            return Counter(pairs) if mark == _COUNTER else pairs
    return {key: _unflatten(item, tensors) for key, item in data.items()}
