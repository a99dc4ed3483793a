"""A laboratory for CIFAR-100 architecture research: every network is a composition of named primitives.

What the commands do, from Python: `compose`, `build`, `train`, `load`, `evaluate`, `predict`, `runs` and
`from_pretrained`; see `cifar100.app.interface`. Each raises `UserError`, in one line, for what its caller can mend.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from cifar100.app.interface import build, compose, evaluate, load, predict, runs, train
    from cifar100.base.errors import UserError

__version__ = "0.1.0"
__all__ = ["UserError", "build", "compose", "evaluate", "from_pretrained", "load", "predict", "runs", "train"]


def from_pretrained(source: str | Path, *, revision: str | None = None, conf: str | Path | None = None) -> nn.Module:
    """A network with its weights from the Hugging Face Hub ("user/repo") or a folder; see `cifar100.hub.load`.

    Args:
        source: a repository, a folder with the files of one, or a run directory.
        revision: branch, tag or commit of a repository.
        conf: a configuration folder of your own, whose primitives the network may have; nothing else is trusted.

    Raises:
        UserError: in one line, where there is no such network or it is not safe to load.
    """
    from cifar100.config import trusting
    from cifar100.hub import load

    with trusting([] if conf is None else [conf]):
        return load(source, revision=revision)


def __getattr__(name: str) -> Any:
    """The others on their first use: importing the package must not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("cifar100.base.errors" if name == "UserError" else "cifar100.app.interface"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
