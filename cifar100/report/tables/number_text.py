"""Numbers as the tables print them, in a form that all languages read; an em dash where there is none."""

import math

from cifar100.record.fields import FIELDS, NONE

_MINUS = "\N{MINUS SIGN}"

# `58.09 ± 0.21` for 0.5809 and 0.0021, `278,324`, `41.22` for 41,224,448, and `0:38:02` for 2282 seconds.
percent, count, millions, duration = (FIELDS[name].text for name in ("top1", "parameters", "macs", "train_s"))


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


def ratio(value: float, base: float) -> str:
    """How many times `base` a value is: `0.61`; an em dash where that cannot be said."""
    if not (math.isfinite(value) and math.isfinite(base)) or base == 0:
        return NONE
    return f"{value / base:.3f}" if abs(value / base - 1) < 0.005 and value != base else f"{value / base:.2f}"
