"""Numbers as the tables print them, in a form that all languages read; an em dash where there is none."""

from __future__ import annotations

import math

NONE = "\N{EM DASH}"
_MINUS = "\N{MINUS SIGN}"


def percent(mean: float, std: float = math.nan) -> str:
    """Fractions in percent: `58.09`, or `58.09 ± 0.21` with a standard deviation."""
    if not math.isfinite(mean):
        return NONE
    return f"{100 * mean:.2f}" if not math.isfinite(std) else f"{100 * mean:.2f} ± {100 * std:.2f}"


def points(difference: float) -> str:
    """A difference of fractions in percentage points with its sign: `+1.20`; zero, as printed, has none."""
    if math.isinf(difference):
        return "+∞" if difference > 0 else f"{_MINUS}∞"
    if math.isnan(difference):
        return NONE
    text = f"{100 * difference:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", _MINUS)


def interval(low: float, high: float) -> str:
    return f"[{points(low)}, {points(high)}]"


def count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else NONE


def millions(value: float) -> str:
    return f"{value / 1e6:,.2f}"


def milliseconds(value: float | None) -> str:
    return f"{1e3 * value:.2f}" if value is not None and math.isfinite(value) else NONE


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: `0:38:02`."""
    if not math.isfinite(seconds):
        return NONE
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def probability(p: float) -> str:
    """`0.031`, and `<0.001` where three decimals would be zeros."""
    if not math.isfinite(p):
        return NONE
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def ratio(value: float, base: float) -> str:
    """How many times `base` a value is: `0.61`; an em dash where that cannot be said."""
    if not (math.isfinite(value) and math.isfinite(base)) or base == 0:
        return NONE
    return f"{value / base:.3f}" if abs(value / base - 1) < 0.005 and value != base else f"{value / base:.2f}"
