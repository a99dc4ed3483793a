"""How runs end: signals as questions, a true status, and a summary."""

import signal
import threading

import pytest
import torch

from cifar100.base.errors import Diverged, Interrupted
from cifar100.record import RunDirectory
from cifar100.training import faults
from cifar100.training.faults import stop_on_signals
from cifar100.training.outcome import hyperparameters, summary, true_status
from cifar100.training.progress import Progress


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_question(signum):
    before = signal.getsignal(signum)
    with stop_on_signals() as request:
        assert request.signum is None
        signal.raise_signal(signum)
        assert request.signum == signum
        signal.raise_signal(signum)  # as a launcher passes on what the terminal has sent to everyone
        signal.raise_signal(signal.SIGTERM)
        assert request.signum == signum
    assert signal.getsignal(signum) == before


def test_a_later_signal_acts_at_once(monkeypatch):
    monkeypatch.setattr(faults, "PATIENCE_S", 0)
    with pytest.raises(Interrupted, match="SIGINT") as interrupted, stop_on_signals():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert interrupted.value.signum == signal.SIGINT


def test_outside_of_the_main_thread_no_handler_is_taken():
    seen = []

    def ask():
        with stop_on_signals() as request:
            seen.append(request.signum)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert seen == [None]


@pytest.mark.parametrize(
    ("error", "state", "note"),
    [
        (Interrupted(signal.SIGTERM), "interrupted", None),
        (KeyboardInterrupt(), "interrupted", None),
        (Diverged(3, 7, 0.1, float("nan")), "failed", "Diverged: the loss became nan in epoch 3, step 7"),
        (OSError(28, "No space left on device", "last"), "failed", "No space left"),
        (TypeError("a bug"), "failed", "TypeError: a bug"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_status_says_how_it_ended(error, state, note, tmp_path):
    record = RunDirectory(tmp_path / "run")
    with pytest.raises(type(error)) as raised, record.lock(), true_status(record):
        raise error
    assert raised.value is error
    status = record.status()
    assert status["state"] == state
    assert note in status["error"] if note else "error" not in status


def test_a_status_that_cannot_be_written_hides_no_error(tmp_path, monkeypatch, caplog):
    record = RunDirectory(tmp_path / "run")

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(Diverged), record.lock(), true_status(record):
        monkeypatch.setattr("cifar100.record.run_directory.atomic_write", full)
        raise Diverged(1, 1, 0.1, float("inf"))
    assert "No space left" in caplog.text


def test_a_compiler_that_the_signal_ended_is_no_failure(make_loop, tmp_path):
    """Control-C on a terminal reaches the compilers that torch.compile has started, too."""
    loop = make_loop(tmp_path, "trainer.num_train_epochs=1")

    def step(*_, **__):
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("the compiler was killed")

    loop.take_step = step
    with pytest.raises(Interrupted, match="SIGINT"):
        loop.run()
    loop = make_loop(tmp_path, "trainer.num_train_epochs=1")
    loop.take_step = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        loop.run()


def test_summary():
    rows = [{"epoch": 1, "epoch_s": 2.0}, {"epoch": 2, "epoch_s": 3.5}]
    found = summary(Progress(epoch=2, rows=rows, best=rows[0]), torch.device("cpu"))
    assert 50e6 < found.pop("memory_bytes") < 100e9
    assert found == {"best": rows[0], "last": rows[1], "epochs": 2, "train_s": 5.5}
    assert hyperparameters({"optimizer": {"lr": 0.1, "betas": [1, 2]}, "seed": 3, "ema_decay": None}) == {
        "optimizer.lr": 0.1,
        "seed": 3,
    }
