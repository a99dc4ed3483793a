"""A laboratory for CIFAR-100 architecture research: every network is a composition of named primitives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__version__ = "0.1.0"


def from_pretrained(source: str | Path, *, revision: str | None = None) -> nn.Module:
    """A network with its weights from the Hugging Face Hub ("user/repo") or a folder; see `cifar100.hub.load`."""
    from cifar100.hub import load

    return load(source, revision=revision)
