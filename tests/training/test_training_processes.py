"""Several processes, joined by gloo, train what one process of the same total batch trains.

With group norm, that is: batch norm normalises by the statistics of a process's own part of the batch, so with it two
processes are another experiment. And with a smooth activation and small steps: at the kink of a ReLU a difference of
1e-8 becomes one of 1e-5, whoever is right.
"""

import os
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from cifar100.base.errors import Diverged, FailedElsewhere, Interrupted, ProcessDied
from cifar100.config import build
from cifar100.metrics import Totals
from cifar100.record import RunDirectory
from cifar100.training.faults import fail_together
from cifar100.training.validation import validate

SMOOTH = ("norm=gn", "activation=gelu", "optimizer.lr=0.01", "trainer.num_train_epochs=2")
TOTAL = 128


def batches(processes: int, accumulation: int = 1) -> list[str]:
    size = TOTAL // processes // accumulation
    return [f"trainer.per_device_train_batch_size={size}", f"trainer.gradient_accumulation_steps={accumulation}"]


def weights(folder) -> torch.Tensor:
    tensors, _ = RunDirectory(folder).load_checkpoint("last")
    return torch.cat([value.flatten().double() for name, value in sorted(tensors.items()) if name.startswith("model.")])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return tmp_path_factory.mktemp("alone")


@pytest.fixture
def by_one_process(alone, make_loop):
    """The run of one process, trained once."""
    if not RunDirectory(alone).has_checkpoint("last"):
        make_loop(alone, *SMOOTH, *batches(1)).run()
    return RunDirectory(alone)


def test_two_processes_equal_one_and_the_main_one_writes(
    by_one_process, make_loop, in_processes, tmp_path, monkeypatch
):
    def train(index: int) -> int:
        loop = make_loop(tmp_path, *SMOOTH, *batches(2))
        if index:
            monkeypatch.setattr("os.replace", None)  # what makes a file of a record appear
        loop.run()
        return loop.state.scheduler.last_epoch

    assert in_processes(2, train) == [22, 22]
    assert (weights(tmp_path) - weights(by_one_process.path)).abs().max() < 1e-5
    for ours, theirs in zip(RunDirectory(tmp_path).metrics(), by_one_process.metrics(), strict=True):
        for name in ("train/loss", "train/top1", "val/loss", "val/top1", "val/top5"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-5), name
        assert ours["lr"] == theirs["lr"]


def test_stopped_with_accumulation_and_continued(by_one_process, make_loop, counted, in_processes, tmp_path):
    """A signal to one of the processes stops both after the same step. 17 images are left for an epoch's last step: of
    two processes with two micro-batches each, these have 5 and 4, and 4 and 4 images."""

    def train(index: int, stop_after: int | None) -> int:
        loop = make_loop(tmp_path, *SMOOTH, *batches(2, accumulation=2))
        steps = counted(loop, stop_after if index == 1 else None)
        try:
            loop.run()
        except Interrupted as interrupted:
            assert interrupted.signum == signal.SIGTERM
        return steps.count

    assert in_processes(2, train, 4) == [4, 4]
    assert RunDirectory(tmp_path).load_checkpoint("last")[1]["progress"]["step"] == 4
    assert in_processes(2, train, None) == [18, 18]
    assert (weights(tmp_path) - weights(by_one_process.path)).abs().max() < 1e-5
    for ours, theirs in zip(RunDirectory(tmp_path).metrics(), by_one_process.metrics(), strict=True):
        assert ours["train/loss"] == pytest.approx(theirs["train/loss"], rel=1e-5)
        assert ours["train/top1"] == pytest.approx(theirs["train/top1"], rel=1e-5)


def test_gpus_are_asked_every_few_steps(make_loop, counted, in_processes, tmp_path):
    """The one that got the signal goes on with the others up to the next common question."""

    def train(index: int) -> int:
        loop = make_loop(tmp_path, *SMOOTH, *batches(2))
        loop.stop_interval = 3
        steps = counted(loop, 4 if index == 1 else None)
        with pytest.raises(Interrupted):
            loop.run()
        return steps.count

    assert in_processes(2, train) == [6, 6]


def test_nodes_that_do_not_share_the_run_are_refused(make_loop, counted, in_processes, tmp_path):
    def train(index: int, stop_after: int | None, folder) -> str:
        loop = make_loop(folder if index else tmp_path, *SMOOTH, *batches(2))
        counted(loop, stop_after)
        with pytest.raises((Interrupted, ValueError)) as ended:
            loop.run()
        return str(ended.value)

    in_processes(2, train, 2, tmp_path)
    for told in in_processes(2, train, None, tmp_path / "on another node"):
        assert "the processes do not all see the checkpoint of" in told and "nodes share" in told


def test_a_run_goes_on_with_as_many_processes_only(by_one_process, make_loop, in_processes):
    def train(index: int) -> str:
        with pytest.raises(ValueError) as refused:
            make_loop(by_one_process.path, *SMOOTH, *batches(2)).run()
        return str(refused.value)

    for told in in_processes(2, train):
        assert "was begun by 1 processes" in told and "force=true" in told


def test_validated_with_the_statistics_that_are_kept(make_loop, compose_run, in_processes, tmp_path):
    overrides = ["trainer.num_train_epochs=1", "ema_decay=0.5", *batches(2)]
    in_processes(2, lambda index: make_loop(tmp_path, *overrides).run().epoch)
    record = RunDirectory(tmp_path)
    loop = make_loop(tmp_path / "again", *overrides)
    tensors, _ = record.load_checkpoint("best")
    loop.state.model.load_state_dict({name.removeprefix("model."): value for name, value in tensors.items()})
    model = loop.state.model.eval()
    again = validate(model, loop.val_loader, build(compose_run().loss), loop.accelerator, 256).results()
    assert record.metrics()[0]["val/loss"] == pytest.approx(again["loss"], rel=1e-6)
    assert record.metrics()[0]["val/top1"] == again["top1"]


def test_a_loss_that_one_process_alone_sees_stops_all(make_loop, in_processes, tmp_path):
    def train(index: int) -> str:
        loop = make_loop(tmp_path, *SMOOTH, *batches(2))
        if index == 1:
            loss = loop.loss
            loop.loss = lambda logits, targets: loss(logits, targets) * float("nan")
        with pytest.raises(Diverged) as diverged:
            loop.take_step(next(iter(loop.train_loader.epoch(1))), Totals(), epoch=1, step=1)
        return str(diverged.value)

    for told in in_processes(2, train):
        assert "epoch 1, step 1" in told


def test_what_ends_one_process_ends_the_others(make_loop, in_processes, tmp_path):
    def fail(index: int) -> list[str]:
        accelerator, told = make_loop(tmp_path, *SMOOTH, *batches(2)).accelerator, []
        for failing in (0, 1):
            try:
                with fail_together(accelerator):
                    if index == failing:
                        raise OSError("the disk is full")
            except (OSError, FailedElsewhere) as error:
                told.append(f"{type(error).__name__}: {error}")
        with fail_together(accelerator):
            pass
        return told

    main, other = in_processes(2, fail)
    assert main == ["OSError: the disk is full", "FailedElsewhere: process 1: the disk is full"]
    assert other == ["FailedElsewhere: process 0: the disk is full", "OSError: the disk is full"]


def test_a_worker_that_dies_ends_the_run_and_the_same_command_goes_on(
    by_one_process, make_loop, in_processes, tmp_path
):
    def train(index: int, dies: bool) -> int:
        loop = make_loop(tmp_path, *SMOOTH, *batches(2))
        if dies and index:
            loop.take_step = Dying(loop.take_step)
        with pytest.raises(ProcessDied) if dies else nullcontext():
            loop.run()
        return loop.state.scheduler.last_epoch

    with pytest.raises(AssertionError, match="^died\n"):  # process 1, and the other one told of it
        in_processes(2, train, True)
    record = RunDirectory(tmp_path)
    assert record.load_checkpoint("last")[1]["progress"]["epoch"] == len(record.metrics()) == 1
    assert in_processes(2, train, False) == [22, 22]
    assert (weights(tmp_path) - weights(by_one_process.path)).abs().max() < 1e-5


class Dying:
    """A loop's `take_step` that ends its process by SIGKILL in the second epoch."""

    def __init__(self, take_step) -> None:
        self.take_step = take_step

    def __call__(self, micro_batches, totals, *, epoch, step) -> None:
        if epoch == 2 and step == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        self.take_step(micro_batches, totals, epoch=epoch, step=step)


def test_a_run_that_cannot_begin_stops_no_other_of_a_sweep(in_processes, image_cache, tmp_path, monkeypatch):
    """The main process alone finds a run locked; the next job has both processes at the same place again."""
    from cifar100.__main__ import main

    monkeypatch.chdir(tmp_path)
    small = ["data=digits", "data.val_size=1000", "model.depths=[1,1,1]", "model.widths=[8,8,8]"]

    def type_sweep(index: int) -> int:
        try:
            main(["train", "-m", *small, "trainer.num_train_epochs=1", "seed=0,1"])
        except SystemExit as end:
            return end.code
        return 0

    assert in_processes(2, type_sweep) == [0, 0]
    first, other = sorted(Path("multirun/default").glob("*seed*"))
    assert RunDirectory(other).environment()["processes"] == 2
    RunDirectory(other).clear()
    locked = RunDirectory(first)
    with locked.lock():
        locked.write_status("running")
        assert in_processes(2, type_sweep) == [3, 2], "it is run elsewhere, says the one that found it locked"
    assert [RunDirectory(path).state() for path in (first, other)] == ["interrupted", "finished"]
