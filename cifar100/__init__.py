"""A laboratory for CIFAR-100 architecture research: every network is a composition of named primitives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__version__ = "0.1.0"


def from_pretrained(source: str | Path, *, revision: str | None = None, conf: str | Path | None = None) -> nn.Module:
    """A network with its weights from the Hugging Face Hub ("user/repo") or a folder; see `cifar100.hub.load`.

    Args:
        source: a repository, a folder with the files of one, or a run directory.
        revision: branch, tag or commit of a repository.
        conf: a configuration folder of your own, whose primitives the network may have; nothing else is trusted.
    """
    from cifar100.config import trusting
    from cifar100.hub import load

    with trusting([] if conf is None else [conf]):
        return load(source, revision=revision)
