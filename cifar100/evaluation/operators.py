"""Multiply-adds of the operators that fvcore leaves out, and the operators that hold none.

fvcore counts one multiply-add as one, convolutions and matrix products exactly, and gives rough figures to what
surrounds them: batch norm in evaluation mode 2 per element (multiply, add), layer and group norm 5, adaptive average
pooling 1 per input element. The handlers below extend those conventions:

    matrix products        output elements x length of the contracted dimension
    attention              both products of softmax(Q K^T) V; the softmax itself none
    means, sums, pooling   1 per element that is added up, as fvcore counts adaptive average pooling
    RMS norm               3 per element with a weight, 2 without (square and add, scale; then the weight)

Element-wise operators (activations, gates, residual additions) hold no multiply-add in these conventions: they are
named in ELEMENTWISE, so that an operator in neither place is unknown, and can be reported instead of being dropped in
silence. A handler takes the inputs and outputs of a node of the traced graph (torch._C.Value), returns an integer.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

Handler = Callable[[list[Any], list[Any]], int]


def _sizes(value: Any) -> list[int]:
    sizes = value.type().sizes() if value.isCompleteTensor() else None
    if sizes is None:
        raise RuntimeError(f"the traced graph gives no shape for {value.debugName()}")
    return list(sizes)


def _elements(value: Any) -> int:
    return prod(_sizes(value))


def _product(first: int) -> Handler:
    """Matrix product of inputs `first` and `first + 1`, of any rank that torch.matmul broadcasts."""
    return lambda inputs, outputs: _elements(outputs[0]) * _sizes(inputs[first])[-1]


def _linear(inputs: list[Any], outputs: list[Any]) -> int:
    return _elements(outputs[0]) * _sizes(inputs[1])[-1]


def _convolution(inputs: list[Any], outputs: list[Any]) -> int:
    """A convolution that is not transposed; the weight is (out, in / groups, *kernel)."""
    return _elements(outputs[0]) * prod(_sizes(inputs[1])[1:])


def _indices(term: str, rank: int) -> list[str | int]:
    """The indices of one einsum operand; those under an ellipsis are numbered from the right, as they broadcast."""
    before, _, after = term.partition("...")
    hidden = rank - len(before) - len(after)
    return [*before, *range(hidden, 0, -1), *after]


def _einsum(inputs: list[Any], outputs: list[Any]) -> int:
    """One product per combination of indices and pair of operands, contracted at once. fvcore rounds to four digits."""
    operands = [_sizes(value) for value in inputs[1].node().inputs()]
    terms = inputs[0].toIValue().replace(" ", "").split("->")[0].split(",")
    length: dict[str | int, int] = {}
    for term, sizes in zip(terms, operands, strict=True):
        for index, size in zip(_indices(term, len(sizes)), sizes, strict=True):
            length[index] = max(length.get(index, 1), size)
    return prod(length.values()) * max(len(operands) - 1, 1)


def _attention(inputs: list[Any], outputs: list[Any]) -> int:
    """softmax(Q K^T) V: query (..., L, E), key (..., S, E), output (..., L, V)."""
    query, keys = _sizes(inputs[0]), _sizes(inputs[1])[-2]
    return prod(query) * keys + _elements(outputs[0]) * keys


def _per_input(count: int) -> Handler:
    return lambda inputs, outputs: count * _elements(inputs[0])


def _per_output(count: int) -> Handler:
    return lambda inputs, outputs: count * _elements(outputs[0])


def _window(dimensions: int) -> Handler:
    """Average pooling with an explicit window: one addition per element of each window."""

    def count(inputs: list[Any], outputs: list[Any]) -> int:
        kernel = inputs[1].toIValue()
        if kernel is None:  # traced as a list of constants
            kernel = [value.toIValue() for value in inputs[1].node().inputs()]
        return _elements(outputs[0]) * (kernel[0] ** dimensions if len(kernel) == 1 else prod(kernel))

    return count


def _rms_norm(inputs: list[Any], outputs: list[Any]) -> int:
    return _elements(inputs[0]) * (3 if inputs[2].isCompleteTensor() else 2)


MULTIPLY_ADDS: dict[str, Handler] = {
    "aten::matmul": _product(0),
    "aten::mm": _product(0),
    "aten::bmm": _product(0),
    "aten::mv": _product(0),
    "aten::dot": _product(0),
    "aten::addmm": _product(1),
    "aten::addmv": _product(1),
    "aten::addbmm": lambda inputs, outputs: _elements(inputs[1]) * _sizes(inputs[2])[-1],
    "aten::baddbmm": _product(1),
    "aten::linear": _linear,
    "aten::einsum": _einsum,
    "aten::_convolution_mode": _convolution,
    "aten::scaled_dot_product_attention": _attention,
    "aten::rms_norm": _rms_norm,
    "aten::adaptive_avg_pool1d": _per_input(1),
    "aten::adaptive_avg_pool3d": _per_input(1),
    "aten::avg_pool1d": _window(1),
    "aten::avg_pool2d": _window(2),
    "aten::mean": _per_input(1),
    "aten::sum": _per_input(1),
    "aten::norm": _per_input(1),
    "aten::linalg_vector_norm": _per_input(1),
    "aten::var": _per_input(2),
    "aten::var_mean": _per_input(2),
    "aten::std": _per_input(2),
    "aten::std_mean": _per_input(2),
    "aten::upsample_nearest1d": _per_output(1),
    "aten::upsample_linear1d": _per_output(2),
}

_ARITHMETIC = """
    add sub rsub mul div neg abs pow square sqrt rsqrt exp log log1p sin cos reciprocal sign maximum minimum
    where lerp
"""
_ACTIVATIONS = """
    relu relu6 leaky_relu prelu elu selu celu gelu glu silu mish hardswish hardsigmoid hardtanh sigmoid
    log_sigmoid tanh softplus softsign softmax log_softmax hardshrink softshrink threshold clamp clamp_min
    clamp_max
"""
_SELECTIONS = """
    max_pool1d max_pool2d adaptive_max_pool1d adaptive_max_pool2d amax amin max min argmax topk sort
"""
_LAYOUT = """
    unflatten expand_as view_as reshape_as pad reflection_pad2d replication_pad2d pixel_shuffle pixel_unshuffle
    channel_shuffle native_channel_shuffle movedim swapaxes repeat repeat_interleave tile flip clone alias
    ones_like new_ones empty_like index_select tensor_split meshgrid broadcast_to broadcast_tensors im2col
    unfold tril triu ne lt le logical_not logical_and logical_or feature_dropout alpha_dropout lift_fresh
    numpy_T
"""


def _with_in_place(names: str) -> set[str]:
    return {f"aten::{name}{suffix}" for name in names.split() for suffix in ("", "_")}


ELEMENTWISE: frozenset[str] = frozenset(
    set.union(*(_with_in_place(names) for names in (_ARITHMETIC, _ACTIVATIONS, _SELECTIONS, _LAYOUT)))
)
