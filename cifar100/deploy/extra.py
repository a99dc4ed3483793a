"""Packages that only an extra installs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from cifar100.base.errors import UserError

PACKAGES = {"torch_pruning": "torch-pruning"}  # those that are called otherwise than their modules


def require(purpose: str, *modules: str, extra: str = "deploy") -> ModuleType:
    """The first of `modules`, imported.

    Raises:
        UserError: one of them is not installed; names the packages and the command that installs them.
    """
    missing = [PACKAGES.get(each, each) for each in modules if find_spec(each) is None]
    if missing:
        raise UserError(f"{purpose} needs {', '.join(missing)}; pip install 'cifar100-lab[{extra}]'")
    return import_module(modules[0])
