"""A run that was interrupted, anywhere and however often, ends with the bits of one that was not."""

import signal

import pytest
import torch
from torch._dynamo.utils import counters

from cifar100.base.errors import Interrupted
from cifar100.record import RunDirectory
from cifar100.training.network import Compiled

# 437 images: five steps an epoch, the last of 53 images.
SHORT = (
    "trainer.num_train_epochs=2",
    "trainer.per_device_train_batch_size=96",
    "data.val_size=1000",
    "augment=standard",
)

VARIANTS = {
    "plain": [],
    "accumulation and clipping": [
        "trainer.per_device_train_batch_size=32",
        "trainer.gradient_accumulation_steps=3",
        "trainer.max_grad_norm=0.5",
    ],
    "moving average": ["ema_decay=0.9"],
    "stochastic average": ["swa_start=1", "model.drop_path=0.5"],
    "drop path, bfloat16": ["model.drop_path=0.5", "trainer.bf16=true"],
    "mixing": ["augment.mixup_alpha=0.4", "augment.cutmix_alpha=1.0", "trainer.label_smoothing_factor=0.1"],
    "torchvision's policies": ["augment=trivialaugment", "augment.cutout=3"],
    "muon": ["optimizer=muon", "scheduler=wsd", "scheduler.warmup_epochs=0.4", "backbone_lr_factor=0.5"],
    "adamw": ["optimizer=adamw", "scheduler=onecycle", "norm=ln", "block=convnext", "model.drop_path=0.2"],
    "adafactor": ["optimizer=adafactor", "optimizer.beta1=0.9", "scheduler=linear", "scheduler.warmup_epochs=1"],
    "multistep": ["scheduler=multistep", "scheduler.milestones=[0.5]", "trainer.dataloader_drop_last=true"],
    "step, nothing held out": [
        "scheduler=step",
        "scheduler.step_epochs=1",
        "data.val_size=0",
        "trainer.per_device_train_batch_size=256",
    ],
    "eight steps, saved on the way": [
        "trainer.max_steps=8",
        "trainer.save_steps=3",
        "ema_decay=0.9",
        "ema_warmup=true",
        "loss.class_weights=balanced",
    ],
    "constant, workers": ["scheduler=constant", "trainer.dataloader_num_workers=2", "activation=gelu"],
}


def finish(make_loop, counted, folder, overrides, stop_after=None) -> int:
    """Trains to the end with fresh objects after each stop; returns how often it was stopped."""
    for stops in range(100):
        loop = make_loop(folder, *SHORT, *overrides)
        counted(loop, stop_after)
        try:
            loop.run()
            return stops
        except Interrupted:
            pass
    raise AssertionError("the run does not come to an end")


@pytest.mark.parametrize("variant", VARIANTS)
def test_stopped_every_fourth_step(variant, make_loop, counted, contents_of, tmp_path):
    finish(make_loop, counted, tmp_path / "whole", VARIANTS[variant])
    assert finish(make_loop, counted, tmp_path / "cut", VARIANTS[variant], stop_after=4) >= 2
    assert contents_of(tmp_path / "cut") == contents_of(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("variant", [[], ["trainer.bf16=true", "model.drop_path=0.5", "ema_decay=0.9"]])
def test_compiled(variant, make_loop, counted, contents_of, tmp_path):
    variant = [*variant, "trainer.torch_compile=true"]
    finish(make_loop, counted, tmp_path / "whole", variant)
    assert finish(make_loop, counted, tmp_path / "cut", variant, stop_after=4) >= 2
    assert contents_of(tmp_path / "cut") == contents_of(tmp_path / "whole")


@pytest.mark.slow
def test_compiled_as_for_a_gpu(make_loop, contents_of, tmp_path):
    """On a CPU, where the options must change nothing: one graph for training, one for validation, the same bits."""
    variant = [*SHORT, "trainer.bf16=true", "model.drop_path=0.5", "trainer.torch_compile=true"]
    make_loop(tmp_path / "plain", *variant).run()
    loop = make_loop(tmp_path / "graphs", *variant)
    loop.forward, loop.validation = (
        Compiled(each.model, each.batch_size, graphs=True) for each in (loop.forward, loop.validation)
    )
    counters.clear()
    loop.run()
    assert counters["stats"]["unique_graphs"] == 2 and not counters["graph_break"]
    assert contents_of(tmp_path / "graphs") == contents_of(tmp_path / "plain")


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(whole_folder, make_loop, counted, contents_of):
    """What a run that is stopped nowhere leaves; trained once."""
    if not RunDirectory(whole_folder).has_checkpoint("last"):
        finish(make_loop, counted, whole_folder, ["ema_decay=0.9"])
    return contents_of(whole_folder)


@pytest.mark.parametrize("stop_after", [1, 5, 6, 10], ids=["first", "end of epoch", "first of next", "last of all"])
def test_stopped_once(stop_after, whole, make_loop, counted, contents_of, tmp_path):
    loop = make_loop(tmp_path, *SHORT, "ema_decay=0.9")
    counted(loop, stop_after, signal.SIGINT)
    with pytest.raises(Interrupted) as interrupted:
        loop.run()
    assert interrupted.value.signum == signal.SIGINT
    _, state = RunDirectory(tmp_path).load_checkpoint("last")
    done = state["progress"]["epoch"] * 5 + state["progress"]["step"]
    assert done == stop_after, "stops after the very step, and keeps it"
    finish(make_loop, counted, tmp_path, ["ema_decay=0.9"])
    assert contents_of(tmp_path) == whole


@pytest.mark.parametrize("epoch", [1, 2])
def test_stopped_while_validating(epoch, whole, make_loop, counted, contents_of, tmp_path):
    """The epoch is kept, and the run stops before the next one; after the last, so that a sweep stops, too."""
    loop = make_loop(tmp_path, *SHORT, "ema_decay=0.9")
    batches, loop.val_loader = loop.val_loader, Signalling()
    loop.val_loader.batches, loop.val_loader.on = batches, epoch
    with pytest.raises(Interrupted):
        loop.run()
    record = RunDirectory(tmp_path)
    assert len(record.metrics()) == epoch
    assert record.load_checkpoint("last")[1]["progress"]["epoch"] == epoch
    finish(make_loop, counted, tmp_path, ["ema_decay=0.9"])
    assert contents_of(tmp_path) == whole


class Signalling:
    """Held-out batches; in epoch ``on`` a signal arrives with them."""

    def __iter__(self):
        self.on -= 1
        if self.on == 0:
            signal.raise_signal(signal.SIGTERM)
        return iter(self.batches)


def test_random_numbers_are_those_of_the_step(make_loop, counted, contents_of, tmp_path):
    """Whatever was drawn before: by the process, or by an earlier run in it."""
    overrides = ["model.drop_path=0.5", "trainer.num_train_epochs=1"]
    finish(make_loop, counted, tmp_path / "one", overrides)
    loop = make_loop(tmp_path / "two", *SHORT, *overrides)
    steps = counted(loop)
    steps.take_step = Drawing(steps.take_step)
    loop.run()
    assert contents_of(tmp_path / "one") == contents_of(tmp_path / "two")
    finish(make_loop, counted, tmp_path / "other", [*overrides, "seed=1"])
    assert contents_of(tmp_path / "one") != contents_of(tmp_path / "other")


class Drawing:
    """A step after which someone draws random numbers."""

    def __init__(self, take_step) -> None:
        self.take_step = take_step

    def __call__(self, *arguments, **options) -> None:
        self.take_step(*arguments, **options)
        torch.rand(7)
