"""Refusals that several primitives share; each names the argument, its value and the cure."""

from __future__ import annotations


def check_kernel_size(name: str, kernel_size: int, cure: str = "so that the kernel has a centre") -> None:
    """Refuses a kernel without a centre.

    Args:
        name: of the option, as it is typed.
        kernel_size: of a square kernel, or of one side.
        cure: the end of the message.

    Raises:
        ValueError: an even size, or one below 1.
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"{name}={kernel_size} must be odd, {cure}")


def check_positive(name: str, value: float, cure: str) -> None:
    """Refuses a size, expansion or scale that is not above 0.

    Raises:
        ValueError: zero, a negative number, or none.
    """
    if not value > 0:
        raise ValueError(f"{name}={value} must be above 0; {cure}")


def check_at_least(name: str, value: float, least: int, cure: str) -> None:
    """Refuses a number below `least`.

    Raises:
        ValueError: a smaller number.
    """
    if value < least:
        raise ValueError(f"{name}={value} must be at least {least}; {cure}")
