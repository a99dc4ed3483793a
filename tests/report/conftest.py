"""Fixtures of the report's tests: run directories of runs that never ran."""

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """The module synthetic.py beside this file: `synthetic.write_run(folder, ...)`, `synthetic.write_study(...)`."""
    found = importlib.util.spec_from_file_location("report_synthetic", Path(__file__).with_name("synthetic.py"))
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def write(synthetic: ModuleType, tmp_path: Path) -> Callable:
    """Writes a run into `tmp_path`: `write(seed=1, label="ECA")`."""
    return functools.partial(synthetic.write_run, tmp_path)


@pytest.fixture(scope="session")
def small_study(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 4 rows x 3 seeds; written once, so no test may change it."""
    return synthetic.write_study(tmp_path_factory.mktemp("studies") / "small", rows=4, seeds=3)


@pytest.fixture
def checkout_defaults() -> dict[str, str | None]:
    """The choices that conf/train.yaml makes."""
    text = (Path(__file__).parents[2] / "conf" / "train.yaml").read_text(encoding="utf-8")
    entries = [entry for entry in yaml.safe_load(text)["defaults"] if isinstance(entry, dict)]
    return {key: value for entry in entries for key, value in entry.items() if not key.startswith("override")}
