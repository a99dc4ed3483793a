"""Checkpoints of a loop: what they hold, and those of another run, which are refused."""

import pytest
import torch

from cifar100.record import RunDirectory
from cifar100.training.progress import Progress

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


def replaced(record: RunDirectory, change) -> None:
    """Saves the checkpoint ``last`` once more, with a right digest, after a change of its tensors and state."""
    tensors, state = record.load_checkpoint("last")
    change(tensors, state)
    record.save_checkpoint("last", tensors, state)


def without(key):
    return lambda tensors, state: state["progress"].pop(key)


def with_progress(**values):
    return lambda tensors, state: state["progress"].update(values)


def momentum(tensors: dict, shape) -> None:
    name = next(name for name in tensors if name.endswith("momentum_buffer") and tensors[name].ndim > 1)
    tensors[name] = torch.zeros(shape)


DAMAGES = {
    "progress is a list": lambda tensors, state: state.update(progress=[1, 2]),
    "epoch is text": with_progress(epoch="1"),
    "epoch is true": with_progress(epoch=True),
    "epoch is below zero": with_progress(epoch=-1),
    "epoch is beyond the end": with_progress(epoch=7, rows=[{"epoch": n + 1, "epoch_s": 1.0} for n in range(7)]),
    "step is beyond the epoch": with_progress(step=10**9),
    "no epoch": without("epoch"),
    "an unknown key": with_progress(colour="red"),
    "totals are too few": with_progress(totals=[0.0]),
    "totals are not finite": with_progress(totals=[float("nan")] * 4),
    "rows are no list": with_progress(rows=3),
    "rows are no rows": with_progress(rows=[3]),
    "rows of other epochs": with_progress(rows=[]),
    "best has no accuracy": with_progress(best={"epoch": 1}),
    "seconds are text": with_progress(epoch_s="1"),
    "a momentum that is too small": lambda tensors, state: momentum(tensors, (2,)),
    "a momentum that is too large": lambda tensors, state: momentum(tensors, (3, 8, 8, 3, 3)),
    "optimizer is a number": lambda tensors, state: state.update(optimizer=3),
    "groups are missing": lambda tensors, state: state["optimizer"].update(param_groups=[]),
    "a group's momentum is text": lambda tensors, state: state["optimizer"]["param_groups"][0].update(momentum="big"),
    "the schedule hides its step": lambda tensors, state: state["scheduler"].update(step=3),
    "the schedule's step is text": lambda tensors, state: state["scheduler"].update(last_epoch="3"),
    "no schedule": lambda tensors, state: state.pop("scheduler"),
    "a weight is missing": lambda tensors, state: tensors.pop(next(name for name in tensors if "model." in name)),
}


def test_a_checkpoint_of_another_form_is_refused_in_a_line_or_the_one_before_it_taken(make_loop, tmp_path, caplog):
    """Each with a right digest, as a stranger or a bug could write it."""
    make_loop(tmp_path, *ONE).run()
    good = RunDirectory(tmp_path).load_checkpoint("last")
    loop = make_loop(tmp_path, *ONE)
    for number, (name, change) in enumerate(DAMAGES.items()):
        alone, after = RunDirectory(tmp_path / f"{number}"), RunDirectory(tmp_path / f"{number}b")
        for record in (alone, after):
            record.save_checkpoint("last", *good)
        replaced(after, change)
        tensors, state = after.load_checkpoint("last")
        alone.checkpoint_path("last").unlink()
        alone.save_checkpoint("last", tensors, state)
        with pytest.raises(ValueError, match="last.safetensors: does not fit this run") as refused:
            loop.state.restore(alone, epochs=1, steps=3)
        assert "\n" not in str(refused.value) and "force=true" in str(refused.value), name
        caplog.clear()
        assert loop.state.restore(after, epochs=1, steps=3).epoch == 1, name
        assert "falling back" in caplog.text, name
    assert loop.state.scheduler.state_dict()["last_epoch"] == good[1]["scheduler"]["last_epoch"]
    assert callable(loop.state.scheduler.step), "what was refused has left no trace"


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon", "adafactor"])
def test_every_optimizer_takes_up_its_own_state(optimizer, make_loop, tmp_path):
    make_loop(tmp_path, *ONE, f"optimizer={optimizer}").run()
    assert make_loop(tmp_path, *ONE, f"optimizer={optimizer}").state.restore(RunDirectory(tmp_path)).epoch == 1
