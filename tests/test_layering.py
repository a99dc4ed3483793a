"""Data flows one way: which part of the package may import which, read from the imports."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cifar100

PACKAGE = Path(cifar100.__file__).parent
CHECKOUT = PACKAGE.parent
MAY_IMPORT = {  # besides base, which everybody may
    "base": set(),
    "config": set(),
    "data": set(),
    "models": set(),
    "losses": set(),
    "optim": set(),
    "metrics": set(),
    "record": set(),
    "training": {"metrics", "record"},
    "evaluation": {"config", "data", "metrics", "record"},
    "deploy": {"config", "data", "metrics", "record"},
    "report": {"record"},
    # Builds what a repository describes; opens the runs that it pushes as an evaluation does; cards are small reports.
    "hub": {"config", "data", "evaluation", "record", "report"},
    # The interface for Python.
    "": {"app", "config", "hub"},
    # How commands meet the user; not among the steps.
    "sweep": {"record"},
    "mistakes": set(),
    "habits": {"config"},
    "help": {"config"},
    "logs": {"sweep"},
    "interruption": {"sweep"},
    "command": {"config", "habits", "help", "interruption", "logs", "mistakes", "sweep"},
    "__main__": {"app", "command", "config", "report", "sweep"},
}
FILES = sorted(file for file in PACKAGE.rglob("*.py") if "conf" not in file.relative_to(PACKAGE).parts)


def part(file: Path) -> str:
    """``data`` for cifar100/data/loader.py, ``metrics`` for cifar100/metrics.py, nothing for cifar100/__init__.py; what
    ``python -m`` runs belongs to the command line, whichever package it stands in."""
    if file.name == "__main__.py":
        return "__main__"
    top = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if top == "__init__" else top


def imported(file: Path) -> set[str]:
    """The full names of all modules and of what is taken from them, wherever in the file they are imported."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = file.relative_to(CHECKOUT).parts[: -node.level] if node.level else ()
            module = ".".join([*package, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def named(file: Path) -> set[str]:
    """Every plain name and attribute that the file's code uses."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def breaches(file: Path) -> set[str]:
    """The parts that the file imports although its own part may not."""
    here = part(file)
    if here == "app":
        return set()
    assert not here or here in MAY_IMPORT, f"{here} has no row in the table of who may import what"
    ours = {name.split(".")[1] for name in imported(file) if name.startswith("cifar100.")}
    everybody = {here, "__version__"} if here == "base" else {here, "__version__", "base"}
    return ours - MAY_IMPORT.get(here, set()) - everybody


def test_imports_keep_to_the_table():
    found = {str(file.relative_to(PACKAGE)): breaches(file) for file in FILES}
    found = {file: sorted(parts) for file, parts in found.items() if parts}
    assert not found, f"may not be imported: {found}"


@pytest.mark.parametrize(
    "line", ["import cifar100.data", "from cifar100 import data", "from ..data import loader", "from .. import data"]
)
def test_the_table_would_catch_a_breach(line, tmp_path, monkeypatch):
    package = tmp_path / "cifar100"
    (package / "models").mkdir(parents=True)
    file = package / "models" / "probe.py"
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", package)
    monkeypatch.setattr(sys.modules[__name__], "CHECKOUT", tmp_path)
    file.write_text(f"from .shape import Shape\nfrom cifar100.models.shape import Shape\n\ndef late():\n    {line}\n")
    assert breaches(file) == {"data"}


def test_only_app_and_the_command_line_see_a_composed_config():
    allowed = {"config", "app", "command", "mistakes", "__main__", "sweep"}
    for file in FILES:
        names = {name for name in imported(file) if name.split(".")[0] in ("hydra", "omegaconf")}
        assert not names or part(file) in allowed, f"{file.name} imports {sorted(names)}"


def test_only_build_instantiates():
    for file in FILES:
        assert part(file) == "config" or "instantiate" not in named(file), f"{file} instantiates for itself"


def test_a_mistake_is_a_user_error():
    """A plain ValueError would end in a traceback; those of models pass through build."""
    for file in FILES:
        raised = [
            node.exc for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Raise)
        ]
        names = {each.func.id for each in raised if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}
        assert part(file) == "models" or not names & {"ValueError", "FileNotFoundError"}, f"{file}: raise UserError"


def test_shells_are_short_and_light():
    """What only composes, such as --help and --cfg job, must not wait for torch to be imported."""
    shells = [file for name in ("train", "evaluate", "report") if (file := CHECKOUT / f"{name}.py").exists()]
    if not shells:
        pytest.skip("an installed wheel has no shells")
    assert all(len(file.read_text(encoding="utf-8").splitlines()) < 30 for file in shells)
    names = ", ".join(file.stem for file in shells)
    heavy = "torch numpy transformers accelerate datasets matplotlib scipy sklearn"
    code = f"import sys, {names}, cifar100.__main__; print(*set('{heavy}'.split()) & set(sys.modules))"
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert not done.stdout.split()


def test_training_does_not_wait_for_what_others_compute_and_draw_with():
    """Nor for the trainer and models of transformers, which take longer than torch itself: nothing of them is used."""
    code = (
        "import sys, cifar100.app; names = set(sys.modules);"
        "print(*{'captum', 'huggingface_hub', 'matplotlib', 'pptx', 'scipy'} & names);"
        "from cifar100.training.arguments import training_arguments as build; build(num_train_epochs=1);"
        "print(*{'transformers.trainer', 'transformers.modeling_utils'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_no_catch_all_modules():
    assert not [file for file in FILES if {"utils", "helpers", "common"} & set(file.with_suffix("").parts)]
