"""Nested configurations as flat ones, with one spelling for equal values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"optimizer.lr": 0.1}` for `{"optimizer": {"lr": 0.1}}`; lists stay values, an empty mapping is one, too."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found


def canonical(value: Any) -> Any:
    """`value` with whole floats as integers, so that 15 and 15.0 are one setting, as they are to a run's identity."""
    if isinstance(value, Mapping):
        return {str(key): canonical(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fixed_text(value: Any) -> str:
    """The same text for equal settings, however their mappings are ordered."""
    return json.dumps(canonical(value), sort_keys=True, ensure_ascii=False)


def in_order(text: str) -> list[tuple[int, float, str]]:
    """A sorting key under which k=5 comes before k=11."""
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(0, float(part), "") if index % 2 else (1, 0.0, part.casefold()) for index, part in enumerate(parts)]
