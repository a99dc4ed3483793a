"""Errors that a user may meet: one base class, a line, an exit status, and what else they are."""

import ast
import pickle
import signal
from pathlib import Path

import pytest

import cifar100
from cifar100.base import errors
from cifar100.base.errors import FAILED, MISTYPED, UserError

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, UserError)]


def test_what_each_ends_a_command_with():
    failed = {each.__name__ for each in CLASSES if each.exit_status == FAILED}
    assert failed == {
        "RunFailed",
        "HubUnreachable",
        "Diverged",
        "OutOfMemoryError",
        "ProcessDied",
        "RunMoved",
        "SweepStopped",
    }
    assert {each.exit_status for each in CLASSES} == {FAILED, MISTYPED}
    assert errors.Interrupted(signal.SIGTERM).exit_status == 143
    assert not issubclass(errors.Interrupted, Exception), "it ends a whole sweep, not only one of its jobs"


def test_callers_that_know_python_only_catch_them_too():
    assert isinstance(errors.MissingFile("no such path"), FileNotFoundError)
    assert isinstance(errors.HubUnreachable("no answer"), OSError) and str(errors.HubUnreachable("no")) == "no"
    assert isinstance(errors.Diverged(1, 2, 0.1, float("nan")), ArithmeticError)
    assert isinstance(errors.OutOfMemoryError("x"), RuntimeError) and isinstance(errors.ProcessDied(), RuntimeError)


@pytest.mark.parametrize(
    "error", [errors.MissingFile("x"), errors.Interrupted(2)], ids=lambda each: type(each).__name__
)
def test_they_pass_between_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)


def test_no_error_is_known_by_the_text_of_its_name():
    """Nor by the file of its traceback: what an error means is its class."""
    package = Path(cifar100.__file__).parent
    # Which version of httpx carries the requests, and raises, is huggingface_hub's business.
    for file in set(package.rglob("*.py")) - {package / "hub" / "download.py"}:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                names = [each.attr for each in ast.walk(node.left) if isinstance(each, ast.Attribute)]
                assert "__name__" not in names, f"{file}:{node.lineno}"
