"""Tensors and JSON state in one safetensors file that is whole or refused.

The file's first bytes are fixed: header length, then `{"__metadata__":{"cifar100.1":"` and the 64 hexadecimal digits of
a SHA-256, followed by the state as JSON text. The digest is taken over the whole file with those digits set to zero, so
it covers every name, dtype, shape, tensor byte and the state, and a flipped byte or a cut anywhere is found. Other
programs read the tensors as from any safetensors file. Equal content gives equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import RecordError
from cifar100.base.files import atomic_write, read_file
from cifar100.record.plain import check_expanded, to_plain

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 2**31
MAX_HEADER_BYTES = 2**24
_KEY = "cifar100.1"
_PREFIX = f'{{"__metadata__":{{"{_KEY}":"'.encode()
_START = 8 + len(_PREFIX)
_END = _START + 64
_ZEROS = b"0" * 64
_CURE = "start the run over with force=true, or fetch the file again"


def save_tensors(path: Path, tensors: dict[str, Tensor], state: dict[str, Any], keep: Path | None = None) -> None:
    """Write tensors (any device, layout or sharing) and `state` (plain data, inf and nan too) atomically to `path`.

    The file that stood there stays as `keep`, if given.
    `flatten_state` turns state dicts into such tensors and plain data; tuples in the state would return as lists.
    The memory format channels_last is noted and restored on loading, because an optimizer is fast only where its state
    is laid out like its parameters. Raises RecordError for what cannot be stored, OSError for a full disk.
    """
    from safetensors.torch import save

    layouts = sorted(name for name, tensor in tensors.items() if _is_channels_last(tensor))
    text = json.dumps({"state": to_plain(state, path), "channels_last": layouts}, separators=(",", ":"))
    data = memoryview(save({name: _dense(tensor) for name, tensor in tensors.items()}, {_KEY: "0" * 64 + text}))
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise RecordError(path, f"needs a header of {length} > {MAX_HEADER_BYTES} bytes; keep less in the state")
    if data[8:_START] != _PREFIX:
        raise RuntimeError(f"safetensors begins a file with {bytes(data[8:_START])!r} instead of {_PREFIX!r}")
    atomic_write(path, data[:_START], _digest(data).encode(), data[_END:], keep=keep)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the state of a file that `save_tensors` wrote.

    Raises RecordError, before any tensor is made, where the file is missing, cut, altered or of another kind.
    """
    data = read_file(path, MAX_BYTES)
    if data is None:
        raise RecordError(path, "is missing")
    _check_header(data, path)
    if _digest(memoryview(data)) != data[_START:_END].decode("ascii", "replace"):
        raise RecordError(path, f"was altered or damaged after it was written (its digest differs); {_CURE}")
    return _parse(data, path)


def _check_header(data: bytes, path: Path) -> None:
    length = int.from_bytes(data[:8], "little")
    if data[8:_START] == _PREFIX and _END <= len(data) and length <= min(len(data) - 8, MAX_HEADER_BYTES):
        return
    if data[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"):
        raise RecordError(path, "is a pickle, which can run code when read; only safetensors files are")
    if len(data) < _END or length > min(len(data) - 8, MAX_HEADER_BYTES):
        fault = f"is no whole safetensors file ({len(data)} bytes, header of {length} bytes)"
        raise RecordError(path, f"{fault}; {_CURE}")
    raise RecordError(path, f"is no checkpoint of this program, or a damaged one; {_CURE}")


def _digest(data: memoryview) -> str:
    digest = hashlib.sha256(data[:_START])
    digest.update(_ZEROS)
    digest.update(data[_END:])
    return digest.hexdigest()


def _parse(data: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read content whose digest is right, which whoever made the file could compute too: still nothing is trusted."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(data[:8], "little")
    check_expanded(data[8 : 8 + length], path)
    try:
        header = json.loads(data[8 : 8 + length])
        body = json.loads(header["__metadata__"][_KEY][64:])
        state, layouts = to_plain(body["state"], path), body["channels_last"]
        if not isinstance(state, dict):
            raise TypeError("the state is no mapping")
        tensors = load(data)
        for name in set(layouts):
            tensors[name] = tensors[name].contiguous(memory_format=torch.channels_last)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, RecursionError, OverflowError) as error:
        raise RecordError(path, f"is no valid checkpoint ({error}); {_CURE}") from None
    return tensors, state


def _is_channels_last(tensor: Tensor) -> bool:
    import torch

    if tensor.dim() != 4 or tensor.is_contiguous():
        return False
    return tensor.is_contiguous(memory_format=torch.channels_last)


def _dense(tensor: Tensor) -> Tensor:
    """A copy of its own on the CPU: safetensors refuses shared and strided memory."""
    import torch

    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
