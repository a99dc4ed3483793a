"""metrics.jsonl: one JSON object per line and epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cifar100.base.errors import RecordError
from cifar100.base.values import is_whole
from cifar100.record.plain import check_expanded, format_json, parse_json_object


def format_metrics(rows: Iterable[Mapping[str, Any]], path: Path) -> bytes:
    """The rows as lines. Raises RecordError for a row without an ascending `epoch` or with nested values."""
    checked: list[dict[str, Any]] = []
    for row in rows:
        _append(checked, dict(row), path)
    return b"".join(format_json(row, path, indent=None) for row in checked)


def parse_metrics(data: bytes, path: Path) -> list[dict[str, Any]]:
    """The rows of the file, without a last line that was cut while it was written.

    Raises RecordError, with the line's number, for any other line that is no row.
    """
    check_expanded(data, path)
    rows: list[dict[str, Any]] = []
    *whole, rest = data.split(b"\n")
    for number, line in enumerate(whole, 1):
        _append(rows, _parse_line(line, number, path), path)
    if rest:
        try:
            row = _parse_line(rest, len(whole) + 1, path)
        except RecordError:
            return rows
        _append(rows, row, path)
    return rows


def _parse_line(line: bytes, number: int, path: Path) -> dict[str, Any]:
    return parse_json_object(line, path.with_name(f"{path.name}, line {number}"))


def _append(rows: list[dict[str, Any]], row: dict[str, Any], path: Path) -> None:
    epoch = row.get("epoch")
    if not is_whole(epoch) or epoch < 0:
        raise RecordError(path, f"row {len(rows) + 1} has no epoch: each row needs epoch=0, 1, ... in rising order")
    if rows and epoch <= rows[-1]["epoch"]:
        raise RecordError(path, f"epoch {epoch} follows epoch {rows[-1]['epoch']}; epochs rise from row to row")
    for key, value in row.items():
        if isinstance(value, dict | list | tuple):
            raise RecordError(path, f"epoch {epoch}: {key} is a {type(value).__name__}; a row has single values only")
    rows.append(row)
