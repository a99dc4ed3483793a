"""Packages that only the extra `deploy` installs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from cifar100.base.errors import UserError

PACKAGES = {"onnx": "onnx", "onnxscript": "onnxscript", "onnxruntime": "onnxruntime", "torch_pruning": "torch-pruning"}


def require(purpose: str, *modules: str) -> ModuleType:
    """The first of `modules`, imported.

    Raises:
        UserError: one of them is not installed; names the packages and the command that installs them.
    """
    missing = [PACKAGES[each] for each in modules if find_spec(each) is None]
    if missing:
        raise UserError(f"{purpose} needs {', '.join(missing)}; pip install 'cifar100-lab[deploy]'")
    return import_module(modules[0])
