"""Fixtures that all tests share."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

CHECKOUT = Path(__file__).parents[1]
# One thread per process: tests run beside each other on small machines, and bitwise comparisons must not depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine is no failure; what must be quick is timed by its own test, in processor time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def cifar100_path() -> Path:
    """The folder with the real CIFAR-100, beside the checkout or named by CIFAR100_PATH; skips where there is none."""
    path = Path(os.environ.get("CIFAR100_PATH", CHECKOUT.parent / "shared" / "cifar100"))
    if not path.is_dir():
        pytest.skip(f"needs the real CIFAR-100 at {path.name}; name its folder in CIFAR100_PATH")
    return path


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
