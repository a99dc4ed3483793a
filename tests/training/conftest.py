"""How the tests of training compose runs, train them with fresh objects, and do so in several processes."""

import os
import signal
import socket
import traceback
from collections.abc import Callable
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from accelerate.state import AcceleratorState, PartialState
from omegaconf import DictConfig

from cifar100 import app
from cifar100.config import CONF, build
from cifar100.record import RunDirectory
from cifar100.training.loop import Loop

TINY = ("data=digits", "model.depths=[1,1,1]", "model.widths=[8,8,8]", "trainer.disable_tqdm=true")
TIMES = ("epoch_s", "images_per_s")


@pytest.fixture(scope="session")
def compose_run(image_cache: Path) -> Callable[..., DictConfig]:
    """Called as (*overrides): the configuration of a tiny run on the digits. Remembered, so not to be changed."""

    @cache
    def compose(*overrides: str) -> DictConfig:
        with hydra.initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            return hydra.compose("train", overrides=[*TINY, *overrides])

    return compose


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


@pytest.fixture
def in_processes() -> Callable[..., list[Any]]:
    """Called as (count, function, *arguments): what each of ``count`` processes joined by gloo returns. ``function``
    gets the process's index first."""

    def start(count: int, function: Callable, *arguments: Any, timeout_s: float = 300) -> list[Any]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        context = get_context("fork")  # torch is imported already
        pipes = [context.Pipe(duplex=False) for _ in range(count)]
        processes = [
            context.Process(target=_as_process, args=(index, count, port, pipe, function, arguments))
            for index, (_, pipe) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        for _, pipe in pipes:
            pipe.close()  # so that a process that dies is heard of
        try:
            answers = [_answer(end, timeout_s) for end, _ in pipes]
        finally:
            for process in processes:
                process.join(5)
                process.kill()
        wrong = [answer for answer in answers if isinstance(answer, str)]
        assert not wrong, "\n".join(wrong)
        return [answer for (answer,) in answers]

    return start


def _answer(end: Any, timeout_s: float) -> Any:
    try:
        return end.recv() if end.poll(timeout_s) else "no answer"
    except EOFError:
        return "died"


def _as_process(index: int, count: int, port: int, pipe: Any, function: Callable, arguments: tuple) -> None:
    names = {"RANK": index, "LOCAL_RANK": index, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in names.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "ACCELERATE_USE_CPU": "true"}
    AcceleratorState._reset_state()
    PartialState._reset_state()
    try:
        pipe.send((function(index, *arguments),))
    except BaseException:
        pipe.send(traceback.format_exc())
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        os._exit(0)  # nothing of the test session's own ending
