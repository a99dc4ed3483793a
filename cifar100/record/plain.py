"""Plain data: what JSON and YAML files of a run directory may hold, checked alike on writing and on reading."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cifar100.base.errors import RecordError, UserError

MAX_DEPTH = 50
MAX_INTEGER = 2**128
MAX_EXPANDED_BYTES = 2**28


def to_plain(value: Any, path: Path, *, non_finite: str = "keep", interpolation: bool = True) -> Any:
    """A copy of `value` made of dict (str keys), list, str, int, float, bool and None only.

    Tuples become lists; subclasses (numpy.float64, enumerations of str) become what they stand for. `non_finite` says
    what becomes of inf and nan: refuse, null or keep. `interpolation=False` refuses `${`, which OmegaConf would
    evaluate. Raises RecordError naming `path` and the place within the data.
    """
    return _plain(value, path, "", 0, non_finite, interpolation)


def _plain(value: Any, path: Path, at: str, depth: int, non_finite: str, interpolation: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _string(value, path, at, interpolation)
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise RecordError(path, f"{at or 'the number'} has more than 128 bits")
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value) or non_finite == "keep":
            return float(value)
        if non_finite == "null":
            return None
        raise RecordError(path, f"{at or 'the number'} is {float(value)}, which JSON does not have; null stands for it")
    if depth == MAX_DEPTH:
        raise RecordError(path, f"is nested more than {MAX_DEPTH} deep")
    if isinstance(value, list | tuple):
        return [_plain(v, path, f"{at}[{i}]", depth + 1, non_finite, interpolation) for i, v in enumerate(value)]
    if isinstance(value, Mapping) and type(value).__module__.partition(".")[0] != "omegaconf":
        copy = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise RecordError(path, f"{at or 'the mapping'} has the key {str(key)[:40]!r}; keys are strings")
            name = _string(key, path, at, interpolation)
            copy[name] = _plain(item, path, f"{at}.{name}" if at else name, depth + 1, non_finite, interpolation)
        return copy
    raise RecordError(path, f"{at or 'the value'} is a {type(value).__name__}; only plain data is recorded")


def _string(value: str, path: Path, at: str, interpolation: bool) -> str:
    if not interpolation and "${" in value:
        raise RecordError(path, f"{at or 'a value'} holds '${{', which is never resolved here; write the value itself")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RecordError(path, f"{at or 'a value'} is no valid Unicode text") from None
    return str.__str__(value)


def format_json(value: Any, path: Path, *, indent: int | None = 2) -> bytes:
    """`value` as JSON text. A number that is not finite is written as null, as pandas and JavaScript do."""
    value = to_plain(value, path, non_finite="null")
    return (json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def check_expanded(data: bytes, path: Path) -> None:
    """Raises RecordError where the values of JSON or the cells of CSV would take much more memory than their text: an
    empty list is two bytes long, and its object sixty."""
    values, rows = sum(map(data.count, (b",", b":", b"[", b"{"))), data.count(b"\n") + data.count(b"\r")
    if 100 * values + 400 * rows + 2 * len(data) > MAX_EXPANDED_BYTES:
        raise RecordError(path, f"has {values + rows} values in {len(data)} bytes, more than such a file may have")


def parse_json(data: bytes, path: Path) -> Any:
    """The plain data in JSON text. Raises RecordError for anything else: NaN, a key given twice, numbers without
    end, nesting without end, text that is no UTF-8."""
    check_expanded(data, path)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise RecordError(path, f"is nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise RecordError(path, f"is no valid JSON ({error})") from None
    return to_plain(value, path, non_finite="refuse")


def parse_json_object(data: bytes, path: Path) -> dict[str, Any]:
    """As `parse_json`, for files that hold one mapping."""
    value = parse_json(data, path)
    if not isinstance(value, dict):
        raise RecordError(path, f"holds a {type(value).__name__} where a mapping belongs")
    return value


def _no_constant(name: str) -> Any:
    raise UserError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise UserError("a key is given twice")
    return mapping
