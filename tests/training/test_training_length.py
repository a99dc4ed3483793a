"""How long a run is: steps instead of epochs, an early end; states saved within an epoch."""

import pytest

from cifar100.record import RunDirectory

FIVE = ("trainer.per_device_train_batch_size=96", "data.val_size=1000")  # steps an epoch


def test_max_steps_end_a_run_within_an_epoch(make_loop, tmp_path):
    loop = make_loop(tmp_path, *FIVE, "trainer.num_train_epochs=1", "trainer.max_steps=7", "scheduler=linear")
    progress = loop.run()
    assert progress.epoch == 2 and loop.state.scheduler.last_epoch == 7
    assert [round(row["lr"], 6) for row in progress.rows] == [round(0.1 * 2 / 7, 6), 0], "a schedule of seven steps"
    assert progress.rows[1]["images_per_s"] * progress.rows[1]["epoch_s"] == pytest.approx(2 * 96)
    assert RunDirectory(tmp_path).has_checkpoint("best")


def test_a_state_is_saved_every_few_steps(make_loop, counted, tmp_path, monkeypatch):
    loop, saved = make_loop(tmp_path, *FIVE, "trainer.num_train_epochs=1", "trainer.save_steps=2"), []
    save = loop.state.save
    monkeypatch.setattr(
        loop.state, "save", lambda record, progress: saved.append(progress.step) or save(record, progress)
    )
    steps = counted(loop)
    take_step, loop.take_step = (
        loop.take_step,
        lambda *given, **named: 1 / 0 if steps.count == 3 else take_step(*given, **named),
    )
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert saved == [2]
    _, state = RunDirectory(tmp_path).load_checkpoint("last")
    assert (state["progress"]["epoch"], state["progress"]["step"]) == (0, 2) and state["progress"]["totals"][3] == 192


def test_saving_more_often_is_the_same_run(compose_run):
    from cifar100.base.conf import SINCE
    from cifar100.config import identity, recipe

    assert identity(compose_run()) == identity(compose_run("trainer.save_steps=5"))
    assert identity(compose_run()) != identity(compose_run("trainer.max_steps=5"))
    plain = recipe(compose_run())
    assert not {"max_steps", "save_steps"} & set(plain["trainer"]), "as in records before there were any"
    assert not SINCE.keys() & plain.keys() and "images_per_class" not in plain["data"]


def test_ends_when_no_epoch_is_better(make_loop, tmp_path, monkeypatch):
    accuracies = iter([0.5, 0.7, 0.7, 0.6, 0.9])

    class Held:
        def results(self):
            return {"loss": 1.0, "top1": next(accuracies), "top5": 1.0}

    monkeypatch.setattr("cifar100.training.loop.validate", lambda *_: Held())
    overrides = (*FIVE, "trainer.num_train_epochs=9", "early_stopping_patience=2")
    progress = make_loop(tmp_path, *overrides).run()
    assert (progress.epoch, progress.best["epoch"]) == (4, 2)
    assert make_loop(tmp_path, *overrides).run().epoch == 4, "typed again it has ended, too"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_steps=0", "at least 1, or -1"),
        ("trainer.max_steps=2.5", "whole number"),
        ("trainer.save_steps=-1", "at least 0"),
        ("early_stopping_patience=0", "whole number >= 1"),
        ("early_stopping_patience=soon", "whole number >= 1"),
        ("ema_decay=0.9 ema_warmup=2", "true or false"),
        ("early_stopping_patience=2 data.val_size=0", "needs held-out images"),
    ],
)
def test_refused_in_one_line(override, message, make_loop, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        make_loop(tmp_path, *override.split())
    assert "\n" not in str(refused.value)
