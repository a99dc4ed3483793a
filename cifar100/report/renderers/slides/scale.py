"""Axes that end in round numbers and are the same in every program."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

TICKS = 6


def round_limits(values: Iterable[float], from_zero: bool) -> tuple[float, float, float]:
    """Lower end, upper end and step of an axis on which all finite values lie a little inside.

    Values that are never negative get no negative end.
    """
    kept = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(kept), max(kept)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-9:
        low, high = low - 0.5 * (low != 0 or not from_zero), high + 0.5
    room = 0.06 * (high - low)
    low, high = low - room * (low != 0 or not from_zero), high + room * (high != 0 or not from_zero)
    step = _round_step((high - low) / TICKS)
    lower = math.floor(low / step) * step
    return max(lower, 0.0) if min(kept) >= 0 else lower, math.ceil(high / step) * step, step


def set_scale(axis: Any, values: Iterable[float], from_zero: bool) -> None:
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = round_limits(values, from_zero)


def set_whole_scale(axis: Any, last: float) -> None:
    """From zero to just `last`, at steps that are whole numbers."""
    step = max(1.0, _round_step(last / TICKS))
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = 0, last, step
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "0", False


def decimals(values: Iterable[float], from_zero: bool) -> str:
    """The number format that shows an axis's steps without zeros that say nothing."""
    step = round_limits(values, from_zero)[2]
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return "0" if places == 0 else f"0.{'0' * places}"


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
