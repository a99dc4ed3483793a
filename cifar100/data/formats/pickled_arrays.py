"""Stand-ins for the six functions that a pickle of arrays names: each builds plain numeric arrays, so no function of
numpy or of anything else is ever called with the file's arguments."""

import math
from typing import Any

import numpy as np

from cifar100.base.errors import UserError

_DTYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f4", "f8", "b1"}


class Array:
    """Stands in for numpy.ndarray while its pickle is read."""

    value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _array(data, dtype, shape, "F" if fortran else "C")


class DType:
    """Stands in for numpy.dtype: a name out of _DTYPES and a byte order."""

    def __init__(self, name: Any = "", *_: Any) -> None:
        name = name.decode("latin-1") if type(name) is bytes else name
        if type(name) is not str or name.lstrip("<>|=") not in _DTYPES:
            shown = repr(name[:20]) if type(name) is str else "that is unknown"
            raise UserError(f"holds an array of type {shown}; only plain numbers are read")
        self.value = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        order = state[1].decode("latin-1") if type(state[1]) is bytes else state[1]
        if order in ("<", ">", "="):
            self.value = self.value.newbyteorder(order)


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if type(data) is str:  # protocol 0 writes raw bytes as text
        data = data.encode("latin-1")
    if type(data) not in (bytes, bytearray) or type(dtype) is not DType or type(shape) is not tuple:
        raise UserError("holds an array that is no plain block of numbers")
    if len(shape) > 4 or not all(type(size) is int and 0 <= size < 2**40 for size in shape):
        raise UserError("holds an array of impossible shape")
    if math.prod(shape) * dtype.value.itemsize != len(data):
        raise UserError(f"holds {len(data)} bytes for an array of {dtype.value} {shape}")
    return np.frombuffer(data, dtype.value).reshape(shape, order="F" if order in ("F", b"F") else "C")


def frombuffer(data: Any, dtype: Any, shape: Any, order: Any) -> Array:
    array = Array()
    array.value = _array(data, dtype, shape, order)
    return array


def _reconstruct(*_: Any) -> Array:
    return Array()


def encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocols below 3 write bytes."""
    if type(text) is not str or encoding not in ("latin1", "latin-1", b"latin1"):
        raise UserError("holds text in an encoding other than latin1")
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    """How protocols below 3 write b""."""
    return b""


STAND_INS = {
    ("__builtin__", "bytes"): _no_bytes,
    **{(module, "_reconstruct"): _reconstruct for module in ("numpy.core.multiarray", "numpy._core.multiarray")},
    **{(module, "_frombuffer"): frombuffer for module in ("numpy.core.numeric", "numpy._core.numeric")},
    ("_codecs", "encode"): encode,
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): DType,
}
