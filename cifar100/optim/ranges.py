"""One-line refusals of hyper-parameters outside their range."""

import math

from cifar100.base.errors import UserError


def check_range(
    name: str,
    value: object,
    example: float,
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
    maximum: float | None = None,
) -> float:
    """Give `value` back as a float if it is a finite number within the bounds.

    `above` and `below` exclude their bound, `minimum` and `maximum` include it. Raises ValueError with the argument's
    name, its value, the range and `example`, a value that would do.
    """
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">", above), (">=", minimum), ("<", below), ("<=", maximum))
        if bound is not None
    ]
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    inside = (
        math.isfinite(number)
        and (above is None or number > above)
        and (minimum is None or number >= minimum)
        and (below is None or number < below)
        and (maximum is None or number <= maximum)
    )
    if not inside:
        raise UserError(
            f"{name}={value!r} must be a finite number {' and '.join(bounds)}; use for instance {name}={example:g}"
        )
    return number


def check_flag(name: str, value: object) -> bool:
    """Give `value` back if it is a bool: YAML reads a mistyped `ture` as a string, which Python counts as true."""
    if not isinstance(value, bool):
        raise UserError(f"{name}={value!r} must be true or false; use {name}=true or {name}=false")
    return value
