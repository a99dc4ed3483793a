"""A recorded run on the digits that was never trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from cifar100.config import CONF, build, recipe
from cifar100.record import RunDirectory

NAMES = [f"digit {index}" for index in range(10)]


@pytest.fixture
def digits_run(image_cache: Path) -> Callable[..., RunDirectory]:
    """Called as (path, seed=0, weights=True): writes the run there."""

    def record(path: Path, seed: int = 0, weights: bool = True) -> RunDirectory:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = compose("train", overrides=["data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]"])
        run = RunDirectory(path)
        run.write_config(recipe(config))
        torch.manual_seed(seed)
        state = {f"model.{name}": tensor for name, tensor in build(config.model).state_dict().items()}
        if weights:
            run.save_checkpoint("last", state, {"metrics": {"epoch": 1}})
        run.write_environment({"data": {"class_names": NAMES, "mean": [0.3], "std": [0.4]}})
        run.write_status("finished")
        return run

    return record
