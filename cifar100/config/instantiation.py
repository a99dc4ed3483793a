"""The only caller of hydra's ``instantiate``."""

from typing import Any

from cifar100.base.errors import ConfigError, UserError


def build(node: Any, **arguments: Any) -> Any:
    """Instantiates ``node`` and all nodes in it; lists and dictionaries arrive as plain Python.

    Raises:
        ConfigError: what a constructor refused, as it put it, or an option that it does not have.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        return instantiate(node, _convert_="all", **arguments)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, UserError | OSError):
            raise cause from None
        if isinstance(cause, ValueError):
            raise ConfigError(str(cause)) from None
        if isinstance(cause, TypeError) and "unexpected keyword argument" in str(cause):
            raise ConfigError(f"{cause}; see conf/ for the options of each choice") from None
        raise
