"""How the tests of training compose runs, and train them with fresh objects."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from cifar100 import app
from cifar100.config import build
from cifar100.record import RunDirectory
from cifar100.training.loop import Loop

TINY = ("data=digits", "model.depths=[1,1,1]", "model.widths=[8,8,8]", "trainer.disable_tqdm=true")
TIMES = ("epoch_s", "images_per_s")


@pytest.fixture(scope="session")
def compose_run(compose, image_cache: Path) -> Callable[..., DictConfig]:
    """Called as (*overrides): the configuration of a tiny run on the digits."""

    return lambda *overrides: compose(*TINY, *overrides)


@pytest.fixture
def make_loop(compose_run, monkeypatch) -> Callable[..., Loop]:
    """Called as (folder, *overrides): a loop whose every object is fresh, as in a process that has just begun."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)  # a fifth of a second each time

    def make(folder: Path, *overrides: str) -> Loop:
        config = compose_run(*overrides)
        arguments = build(config.trainer)
        accelerator = app.build_accelerator(config, RunDirectory(folder))
        model = app.build_model(config)
        model.to(accelerator.device, memory_format=torch.channels_last)
        return app.build_loop(config, arguments, RunDirectory(folder), model, build(config.data), accelerator)

    return make


class Counted:
    """A loop's ``take_step`` that counts its steps, and after some of them has a signal sent."""

    def __init__(self, loop: Loop, stop_after: int | None = None, signum: int = signal.SIGTERM) -> None:
        self.take_step, self.stop_after, self.signum, self.count = loop.take_step, stop_after, signum, 0
        loop.take_step = self

    def __call__(self, *arguments: Any, **options: Any) -> None:
        self.take_step(*arguments, **options)
        self.count += 1
        if self.count == self.stop_after:
            signal.raise_signal(self.signum)


@pytest.fixture(scope="session")
def counted() -> type[Counted]:
    return Counted


def contents(folder: Path) -> dict[str, Any]:
    """Everything that a run leaves but times: bit patterns of both checkpoints' tensors, plain state and metrics."""
    record, found = RunDirectory(folder), {}
    for name in ("last", "best"):
        if record.has_checkpoint(name):
            tensors, state = record.load_checkpoint(name)
            found |= {(name, key): tensor.numpy().tobytes() for key, tensor in tensors.items()}
            found |= {(name, key): _timeless(value) for key, value in state.items()}
    return found | {"metrics": _timeless(record.metrics())}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in TIMES}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def contents_of() -> Callable[[Path], dict[str, Any]]:
    return contents
