"""Checkpoints of a loop: what they hold, and those of another run, which are refused."""

import pytest
import torch

from cifar100.record import RunDirectory
from cifar100.training.state import Progress

ONE = ("trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=500")


@pytest.fixture
def trained(make_loop, tmp_path):
    loop = make_loop(tmp_path, *ONE, "ema_decay=0.9")
    loop.run()
    return loop


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.widths=[8,8,16]"],
        ["model.depths=[2,1,1]"],
        ["norm=ln"],
        ["optimizer=adamw"],
        ["optimizer.decay_norm_and_bias=false"],
    ],
    ids=str,
)
def test_another_runs_checkpoint_is_refused(overrides, trained, make_loop, tmp_path):
    other = make_loop(tmp_path, *ONE, "ema_decay=0.9", *overrides)
    with pytest.raises(ValueError) as refused:
        other.run()
    message = str(refused.value)
    assert "last.safetensors" in message and "force=true" in message and "\n" not in message


def test_a_checkpoint_without_the_average_is_refused(make_loop, tmp_path):
    make_loop(tmp_path, *ONE).run()
    with pytest.raises(ValueError, match="does not fit this run"):
        make_loop(tmp_path, *ONE, "ema_decay=0.9").run()


def test_restores_everything(trained, make_loop, tmp_path):
    fresh = make_loop(tmp_path, *ONE, "ema_decay=0.9")
    progress = fresh.state.restore(RunDirectory(tmp_path))
    assert progress == Progress(epoch=1, rows=progress.rows, best=progress.rows[0])
    for ours, theirs in ((fresh.state.model, trained.state.model), (fresh.state.average, trained.state.average)):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value), name
    ours, theirs = (loop.state.optimizer.state_dict() for loop in (fresh, trained))
    assert ours["param_groups"] == theirs["param_groups"]
    for index, state in theirs["state"].items():
        assert torch.equal(ours["state"][index]["momentum_buffer"], state["momentum_buffer"])
    assert fresh.state.scheduler.state_dict() == trained.state.scheduler.state_dict()
    for weight, state in fresh.state.optimizer.state.items():
        if weight.is_contiguous(memory_format=torch.channels_last):
            assert state["momentum_buffer"].is_contiguous(memory_format=torch.channels_last), "or every step copies"


def test_best_is_the_epoch_with_the_best_held_out_accuracy(make_loop, tmp_path, monkeypatch):
    accuracies = iter([0.5, 0.7, 0.7, 0.6])

    class Held:
        def results(self):
            return {"loss": 1.0, "top1": next(accuracies), "top5": 1.0}

    monkeypatch.setattr("cifar100.training.loop.validate", lambda *_: Held())
    loop = make_loop(tmp_path, *ONE, "trainer.num_train_epochs=4")
    progress = loop.run()
    assert progress.best["epoch"] == 2, "the first of equals"
    _, state = RunDirectory(tmp_path).load_checkpoint("best")
    assert state["metrics"] == progress.rows[1]


def test_without_held_out_images_there_is_no_best(make_loop, tmp_path):
    progress = make_loop(tmp_path, *ONE, "data.val_size=0").run()
    record = RunDirectory(tmp_path)
    assert progress.best is None and not record.has_checkpoint("best")
    assert set(record.metrics()[0]) == {"epoch", "train/loss", "train/top1", "lr", "epoch_s", "images_per_s"}


def test_the_average_is_what_is_validated_and_kept_as_best(make_loop, tmp_path):
    loop = make_loop(tmp_path, *ONE, "ema_decay=0.9")
    loop.run()
    tensors, _ = RunDirectory(tmp_path).load_checkpoint("best")
    for name, value in loop.state.average.module.state_dict().items():
        assert torch.equal(tensors[f"model.{name}"], value)
