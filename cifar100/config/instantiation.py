"""The only caller of hydra's ``instantiate``."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from inspect import signature
from typing import Any

from cifar100.base.errors import ConfigError, UserError

# Hydra 1.4 asks for a list of targets at each call. What a user types may name anything, as in any program of theirs;
# what a record names is checked in records.py and open_run.py before it comes here. And it has a new name for its base.
_OF_HYDRA = r"\s*(hydra\.utils\.instantiate\(\) resolved|Hydra configured Python logging|The version_base parameter)"
warnings.filterwarnings("ignore", _OF_HYDRA)


def build(node: Any, **arguments: Any) -> Any:
    """Instantiates ``node`` and all nodes in it; lists and dictionaries arrive as plain Python.

    Raises:
        ConfigError: what a constructor refused, as it put it, or an option that it does not have.
    """
    from hydra.utils import instantiate

    with _refusals():
        built = instantiate(node, _convert_="all", **arguments)
        _check_options(built)
        return built


def call(factory: partial, **arguments: Any) -> Any:
    """The product of a factory that `build` made, with other arguments. Raises what `build` does."""
    from hydra.errors import InstantiationException

    with _refusals():
        try:
            return factory(**arguments)
        except Exception as error:  # as instantiate does
            raise InstantiationException(f"Error in call to target '{factory.func}':\n{error!r}") from error


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns the refusal of a constructor into a ConfigError of its words; what is a user's mistake already stays."""
    from hydra.errors import InstantiationException

    try:
        yield
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, UserError | OSError):
            raise cause from None
        if isinstance(cause, ValueError):
            raise ConfigError(str(cause)) from None
        if isinstance(cause, TypeError) and "unexpected keyword argument" in str(cause):
            raise ConfigError(f"{cause}; see conf/ for the options of each choice") from None
        raise


def _check_options(value: Any) -> None:
    """Refuses an option that the target of a factory, or of one within it, does not have. Raises ConfigError."""
    if isinstance(value, list | tuple):
        for each in value:
            _check_options(each)
    if not isinstance(value, partial):
        return
    options = signature(value.func).parameters
    if not any(option.kind is option.VAR_KEYWORD for option in options.values()):
        for name in value.keywords.keys() - options.keys():
            known = ", ".join(key for key in value.keywords if key in options)
            raise ConfigError(f"{value.func.__name__} has no option {name}; it has {known or 'none'}")
    for each in value.keywords.values():
        _check_options(each)
