"""Refusals that several primitives share; each names the argument, its value and the cure."""

from __future__ import annotations

from collections.abc import Collection


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


def check_rate(name: str, value: float) -> None:
    """Refuses a probability to drop something that is none, or that leaves nothing.

    Raises:
        ValueError: a number outside [0, 1).
    """
    if not 0 <= value < 1:
        raise ValueError(f"{name}={value} must lie in [0, 1)")


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Refuses a word that is none of `choices`.

    Raises:
        ValueError: with all of them.
    """
    if value not in choices:
        raise ValueError(f"{name}={value} is unknown; choose one of {', '.join(choices)}")


def check_groups(name: str, groups: int, in_channels: int, out_channels: int) -> None:
    """Refuses groups of a convolution that do not divide its channels.

    Raises:
        ValueError: with both counts.
    """
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{name}={groups} must divide the {in_channels} channels that come in and the {out_channels} that go out; "
            "choose a common divisor or other model.widths"
        )
