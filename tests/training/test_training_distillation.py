"""Runs that are taught: exact when interrupted, by a teacher that stays as it is; another teacher is another run."""

from types import SimpleNamespace

import pytest
import torch

from cifar100.app.sources import check_weights_used, load_teacher, weights_used
from cifar100.base.errors import Interrupted
from cifar100.config import identity, recipe
from cifar100.metrics import Totals
from cifar100.record import RunDirectory

ONE = ("trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=500")
SHORT = ("trainer.num_train_epochs=2", "trainer.per_device_train_batch_size=96", "data.val_size=1000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("teacher")


@pytest.fixture
def teacher(folder, make_loop, compose_run):
    """The folder of a wider network's run; trained once."""
    if not RunDirectory(folder).has_checkpoint("best"):
        wide = (*ONE, "model.widths=[8,16,16]")
        make_loop(folder, *wide).run()
        RunDirectory(folder).write_config(recipe(compose_run(*wide)))
    return folder


@pytest.mark.parametrize(
    "variant",
    [
        ["loss=distillation"],
        ["loss=decoupled_distillation", "augment.mixup_alpha=0.4", "augment.cutmix_alpha=1.0", "ema_decay=0.9"],
        ["loss=distillation", "trainer.per_device_train_batch_size=32", "trainer.gradient_accumulation_steps=3"],
    ],
    ids=lambda variant: " ".join(variant)[:40],
)
def test_interrupted_equals_uninterrupted(variant, teacher, make_loop, counted, contents_of, tmp_path):
    overrides = [*SHORT, *variant, f"loss.teacher={teacher}"]
    make_loop(tmp_path / "whole", *overrides).run()
    stops = 0
    while stops < 10:
        loop = make_loop(tmp_path / "cut", *overrides)
        counted(loop, 4)
        try:
            loop.run()
            break
        except Interrupted:
            stops += 1
    assert stops >= 2 and contents_of(tmp_path / "cut") == contents_of(tmp_path / "whole")


def test_two_processes_are_taught_as_one(teacher, make_loop, in_processes, tmp_path):
    """With group norm and a smooth activation, as the neighbours' tests of processes have it."""
    smooth = ("norm=gn", "activation=gelu", "optimizer.lr=0.01", "trainer.num_train_epochs=1", "data.val_size=1000")
    overrides = (*smooth, "loss=distillation", f"loss.teacher={teacher}")
    make_loop(tmp_path / "one", *overrides, "trainer.per_device_train_batch_size=128").run()

    def train(index: int) -> int:
        loop = make_loop(tmp_path / "two", *overrides, "trainer.per_device_train_batch_size=64")
        return loop.run().epoch

    assert in_processes(2, train) == [1, 1]
    one, two = (RunDirectory(tmp_path / name).load_checkpoint("last")[0] for name in ("one", "two"))
    for name in one:
        if name.startswith("model."):
            torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-5)


def test_the_teacher_sees_the_students_images_and_stays_as_it_is(teacher, make_loop, tmp_path):
    loop = make_loop(
        tmp_path, *ONE, "loss=distillation", "loss.weight=1.0", f"loss.teacher={teacher}", "augment=standard"
    )
    network = loop.hints.network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    (batch,) = next(iter(loop.train_loader.epoch(1)))
    ours, theirs = loop.state.model.train()(batch.images), network(batch.images)
    soft = torch.nn.functional.kl_div((ours / 4).log_softmax(1), (theirs / 4).softmax(1), reduction="batchmean")
    totals = Totals()
    loop.take_step([batch], totals, epoch=1, step=1)
    assert totals.results()["loss"] == pytest.approx(16 * soft.item(), rel=1e-5)
    assert not network.training and not any(each.requires_grad for each in network.parameters())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    loop.run()
    tensors, _ = RunDirectory(tmp_path).load_checkpoint("last")
    assert not any("teacher" in name or "hints" in name for name in tensors)


def test_another_teacher_is_another_run(teacher, compose_run, tmp_path):
    config = compose_run("loss=distillation", f"loss.teacher={teacher}")
    assert recipe(config)["loss"]["teacher"].startswith(f"{teacher.name}@")
    tensors, state = RunDirectory(teacher).load_checkpoint("best")
    other = RunDirectory(tmp_path / teacher.name)
    other.save_checkpoint("best", {name: tensor * 2 for name, tensor in tensors.items()}, state)
    other.write_config(RunDirectory(teacher).config())
    changed = compose_run("loss=distillation", f"loss.teacher={other.path}")
    assert identity(changed) != identity(config)
    used = weights_used(config)
    assert len(used["loss.teacher"]) == 64 and weights_used(changed) != used

    run = RunDirectory(tmp_path / "run")
    check_weights_used(run, used)
    run.save_checkpoint("last", {}, {})
    run.write_environment({"weights": used})
    check_weights_used(run, used)
    with pytest.raises(ValueError, match="began with other weights of loss.teacher"):
        check_weights_used(run, weights_used(changed))


def test_a_teacher_is_for_the_same_images_and_classes(teacher):
    shape = {"in_channels": 1, "num_classes": 10, "resolution": 8}
    digits = SimpleNamespace(name="digits")
    assert load_teacher(str(teacher), SimpleNamespace(**shape), digits).num_classes == 10
    for name in shape:
        with pytest.raises(ValueError, match=f"has {name} {shape[name]}, the network that it should teach 32"):
            load_teacher(str(teacher), SimpleNamespace(**shape | {name: 32}), digits)
    with pytest.raises(ValueError, match="was trained on digits, not on data=cifar10"):
        load_teacher(str(teacher), SimpleNamespace(**shape), SimpleNamespace(name="cifar10"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=distillation"], "names no teacher; use loss.teacher="),
        (["loss=distillation", "loss.teacher=nowhere/at/all"], "nowhere/at/all"),
        (["loss=distillation", "loss.teacher=7"], "names no teacher"),
    ],
    ids=str,
)
def test_refused_in_one_line(overrides, message, teacher, make_loop, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        make_loop(tmp_path, *ONE, *(each.format(teacher=teacher) for each in overrides))
    assert "\n" not in str(refused.value)
