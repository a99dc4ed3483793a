"""The network of a record with fewer channels."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from cifar100.base.errors import UserError
from cifar100.config import load_model
from cifar100.evaluation.costs import count_costs
from cifar100.models.network import scale


def narrowed(model: Mapping[str, Any], widths: Sequence[int]) -> dict[str, Any]:
    """A record's model with `widths`, its stem narrowed as its first stage."""
    before = _widths(model)
    if len(widths) != len(before) or any(one > other for one, other in zip(widths, before, strict=True)):
        raise UserError(f"widths={list(widths)} must be {len(before)} numbers, none above the run's {before}")
    found = {**model, "widths": list(widths)} | ({"width_multiplier": 1.0} if "width_multiplier" in model else {})
    if stem := model.get("stem_width"):
        wide = scale(stem, model.get("width_multiplier", 1))
        found["stem_width"] = max(1, round(wide * widths[0] / before[0]))
    return found


def nearest(model: Mapping[str, Any], amount: float, multiple: int) -> dict[str, Any]:
    """A record's model narrowed so that about `amount` of its multiply-adds goes: widths times the square root of what
    is left, since most multiply-adds are products of two widths. Of the multiples next to these, where `multiple` is
    above 1, those whose multiply-adds come nearest."""
    exact = [width * math.sqrt(1 - amount) for width in _widths(model)]
    if multiple == 1:
        return narrowed(model, [max(1, round(width)) for width in exact])
    around = [
        {max(multiple, math.floor(width / multiple) * multiple), math.ceil(width / multiple) * multiple}
        for width in exact
    ]
    pairs = [[min(each, width) for each in sorted(both)] for both, width in zip(around, _widths(model), strict=True)]
    found = [narrowed(model, widths) for widths in product(*pairs)]
    wanted = (1 - amount) * _macs(model)
    return min(found, key=lambda each: abs(_macs(each) - wanted))


def _widths(model: Mapping[str, Any]) -> list[int]:
    return [scale(width, model.get("width_multiplier", 1)) for width in model["widths"]]


def _macs(model: Mapping[str, Any]) -> int:
    network = load_model({"model": model}).eval()
    return count_costs(network, (network.in_channels, network.resolution, network.resolution)).macs
