"""Sweeps of tiny networks on the digits."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

# 437 images: an epoch of five steps.
TINY = (
    "data=digits",
    "data.val_size=1000",
    "model.depths=[1,1,1]",
    "model.widths=[8,8,8]",
    "trainer.per_device_train_batch_size=96",
    "trainer.num_train_epochs=1",
)


@pytest.fixture
def tiny() -> tuple[str, ...]:
    return TINY


@pytest.fixture
def sweep(typed) -> Callable:
    """Called as (*overrides): types a sweep of tiny networks for an epoch each."""
    return lambda *overrides: typed("train", "-m", *TINY, *overrides)


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("kept") / "multirun"


@pytest.fixture
def finished(sweep, kept) -> RunDirectory:
    """The finished run of seed=0, trained once for all tests that begin with it."""
    if kept.exists():
        shutil.copytree(kept, "multirun")
    else:
        assert sweep("seed=0").status == 0
        shutil.copytree("multirun", kept)
    (status,) = Path("multirun").glob("*/*/status.json")
    return RunDirectory(status.parent)


@pytest.fixture
def runs(typed) -> Callable[[], dict[str, RunDirectory]]:
    """Called without arguments: the runs of the study by name."""
    return lambda: {path.parent.name: RunDirectory(path.parent) for path in Path("multirun").glob("*/*/status.json")}


@pytest.fixture
def closing() -> Callable[[str], list[list[str]]]:
    """Called as (output): the words of the closing table's rows, without the header, and of the line below it."""

    def read(out: str) -> list[list[str]]:
        lines = out.rstrip("\n").split("\n")
        start = max(number for number, line in enumerate(lines) if not line)
        return [line.split() for line in lines[start + 2 :]]

    return read
