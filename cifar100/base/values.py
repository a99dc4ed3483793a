"""Options and recorded values checked for what they are: numbers, whole numbers, true or false. YAML reads a mistyped
`ture` as a string, which Python counts as true, and Python counts true as the number 1."""

import math
from typing import TypeGuard

from cifar100.base.errors import UserError


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: object) -> TypeGuard[int | float]:
    return is_number(value) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


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
    """Returns `value` as a float if it is a finite number within the bounds.

    `above` and `below` exclude their bound, `minimum` and `maximum` include it. Raises UserError with the argument's
    name, its value, the range and `example`, a value that would do.
    """
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">", above), (">=", minimum), ("<", below), ("<=", maximum))
        if bound is not None
    ]
    number = float(value) if is_number(value) else math.nan
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


def check_whole(name: str, value: object, *, least: int = 1, most: int | None = None, cure: str = "") -> int:
    """Returns `value` if it is a whole number within the bounds, which it may reach. `cure` ends the UserError's
    message."""
    if not is_whole(value) or value < least or (most is not None and value > most):
        bounds = f">= {least}" if most is None else f"from {least} to {most}"
        raise UserError(f"{name}={value} must be a whole number {bounds}{cure}")
    return value


def check_flag(name: str, value: object) -> bool:
    """Returns `value` if it is a bool."""
    if not isinstance(value, bool):
        raise UserError(f"{name}={value} must be true or false")
    return value
