"""Where the parts of a configuration come from by interpolation."""

import re
from collections.abc import Mapping
from typing import Any

from cifar100.base.trees import lookup

REFERENCE = re.compile(r"\$\{(\.*)([\w.]+)\}")


def origins(tree: dict[str, Any], start: str) -> dict[str, list[str]]:
    """The places that each part of ``start`` is taken from by interpolation: ``{"stage.block": ["block"], ...}`` where
    ``stage`` is ``${stage}`` and ``block`` in it ``${..block}``; several where one refers to the next."""
    found: dict[str, list[str]] = {}

    def visit(part: str, place: str) -> None:
        value = lookup(tree, place)
        while isinstance(value, str) and (match := REFERENCE.fullmatch(value)):
            # One dot is the node that holds the reference, each further one the node around it.
            around = place.split(".")[: -len(match[1])] if match[1] else []
            place = ".".join([*around, match[2]])
            found.setdefault(part, []).append(place)
            value = lookup(tree, place)
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        for key, _ in pairs:
            visit(f"{part}.{key}".lstrip("."), f"{place}.{key}")

    visit("", start)
    return found
