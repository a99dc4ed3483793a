"""Fixtures that all tests share."""

import copy
import gc
import logging
import os
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]
# One thread per process: tests run beside each other on small machines, and bitwise comparisons must not depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine is no failure; what must be quick is timed by its own test, in processor time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Every run ends with a collection of garbage: it need not go through torch's own objects each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def cifar100_path() -> Path:
    """The folder with the real CIFAR-100, beside the checkout or named by CIFAR100_PATH; skips where there is none."""
    path = Path(os.environ.get("CIFAR100_PATH", CHECKOUT.parent / "shared" / "cifar100"))
    if not path.is_dir():
        pytest.skip(f"needs the real CIFAR-100 at {path.name}; name its folder in CIFAR100_PATH")
    return path


@pytest.fixture(scope="session")
def compose() -> Callable[..., "DictConfig"]:
    """Called as (*overrides): what ``python train.py <overrides>`` composes; with ``hydra=True`` hydra's own node too.
    Remembered; each call gets a copy, since building a network resolves interpolations in place."""
    from hydra import compose, initialize_config_dir

    from cifar100.config import CONF, compose_quickly

    compose_quickly()

    @cache
    def remembered(overrides: tuple[str, ...], hydra: bool) -> "DictConfig":
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("train", overrides=list(overrides), return_hydra_config=hydra)

    return lambda *overrides, hydra=False: copy.deepcopy(remembered(overrides, hydra))


@pytest.fixture(scope="session")
def record_run(compose, image_cache: Path) -> Callable[..., "RunDirectory"]:
    """Called as (path, *overrides, seed=0, checkpoint="best"): writes the finished run of a tiny network on the digits
    that was never trained. Without a ``checkpoint`` it has no weights."""
    import torch

    from cifar100.config import build, recipe
    from cifar100.record import RunDirectory

    def record(path: Path, *overrides: str, seed: int = 0, checkpoint: str | None = "best") -> RunDirectory:
        config = compose("data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]", f"seed={seed}", *overrides)
        run = RunDirectory(path)
        run.write_config(recipe(config))
        torch.manual_seed(seed)
        weights = {f"model.{name}": tensor for name, tensor in build(config.model).state_dict().items()}
        if checkpoint:
            run.save_checkpoint(checkpoint, weights, {"metrics": {"epoch": 1}})
        run.write_status("finished")
        return run

    return record


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of decoded images of the tests' own, shared by all of them and by the processes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield Path(os.environ["XDG_CACHE_HOME"])


@pytest.fixture
def typed(
    tmp_path: Path, image_cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Iterator[Callable[..., Ended]]:
    """Called as (command, *arguments): types the command in a folder of the test's own, in this process."""
    from cifar100.__main__ import main

    def type_command(*arguments: str) -> Ended:
        capfd.readouterr()
        status = 0
        try:
            main(list(arguments))
        except SystemExit as end:
            status = end.code
        return Ended(status, *capfd.readouterr())

    monkeypatch.chdir(tmp_path)
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr("sys.argv", [])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "")
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield type_command
    root.handlers[:] = kept
    root.setLevel(level)
    assert handlers == {signum: signal.getsignal(signum) for signum in handlers}, "a command left handlers behind"


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
    import torch
    from accelerate.state import AcceleratorState, PartialState

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
