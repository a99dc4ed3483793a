"""A recorded run on the digits that was never trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

NAMES = [f"digit {index}" for index in range(10)]


@pytest.fixture
def digits_run(record_run) -> Callable[..., RunDirectory]:
    """Called as (path, seed=0, checkpoint="last"): writes the run there, which names its classes."""

    def record(path: Path, seed: int = 0, checkpoint: str | None = "last") -> RunDirectory:
        run = record_run(path, seed=seed, checkpoint=checkpoint)
        run.write_environment({"data": {"class_names": NAMES, "mean": [0.3], "std": [0.4]}})
        return run

    return record
