"""Training on a GPU. Skipped where there is none."""

from importlib.util import find_spec

import pytest
import torch
from torch._dynamo.utils import counters

from cifar100.base.errors import Interrupted
from cifar100.record import RunDirectory, describe_environment
from cifar100.training.outcome import device_name, summary

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_images_live_there_and_it_learns(make_loop, tmp_path):
    loop = make_loop(tmp_path, "trainer.num_train_epochs=10")
    (batch, *_) = next(iter(loop.train_loader.epoch(1)))
    assert batch.images.is_cuda and batch.targets.is_cuda
    assert all(parameter.is_cuda for parameter in loop.state.model.parameters())
    progress = loop.run()
    assert RunDirectory(tmp_path).metrics()[-1]["val/top1"] > 0.5, "five times chance"
    assert summary(progress, loop.accelerator.device)["memory_bytes"] == torch.cuda.max_memory_allocated() > 0


@pytest.mark.parametrize("precision", ["trainer.bf16=true", "trainer.fp16=true", "trainer.torch_compile=true"])
def test_stopped_and_continued_it_ends_nearly_the_same(make_loop, counted, tmp_path, precision):
    """Not bitwise: a GPU adds in any order."""
    overrides = ("norm=gn", "optimizer.lr=0.01", "trainer.num_train_epochs=2", precision)
    make_loop(tmp_path / "whole", *overrides).run()
    loop = make_loop(tmp_path / "stopped", *overrides)
    counted(loop, 7)
    with pytest.raises(Interrupted):
        loop.run()
    make_loop(tmp_path / "stopped", *overrides).run()
    whole, stopped = (RunDirectory(tmp_path / folder).metrics() for folder in ("whole", "stopped"))
    assert [row["train/loss"] for row in stopped] == pytest.approx([row["train/loss"] for row in whole], rel=2e-2)


def test_the_peak_of_an_earlier_job_is_not_this_ones(make_loop, tmp_path):
    torch.empty(2**28, device="cuda")
    loop = make_loop(tmp_path, "trainer.num_train_epochs=1")
    progress = loop.run()
    assert summary(progress, loop.accelerator.device)["memory_bytes"] < 2**28


def test_the_record_names_what_decides_how_it_computed():
    hardware = describe_environment()["hardware"]
    assert hardware["cudnn"] == torch.backends.cudnn.version() and set(hardware["tf32"]) == {"matmul", "cudnn"}
    assert torch.cuda.get_device_name() in device_name(torch.device("cuda", 0))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("ema_decay=0.9", "model.drop_path=0.2"),
        ("augment=trivialaugment", "trainer.dataloader_num_workers=2"),
        ("trainer.max_grad_norm=1.0", "trainer.bf16=false", "trainer.fp16=true"),
        ("trainer.gradient_accumulation_steps=2",),
    ],
)
def test_compiled_with_batch_norm(make_loop, tmp_path, monkeypatch, overrides):
    """As graphs, of which none is left out, what it is by one launch after another."""
    metrics = []
    for graphs in ("1", "0"):
        monkeypatch.setenv("CIFAR100_CUDA_GRAPHS", graphs)
        counters.clear()
        make_loop(tmp_path / graphs, "trainer=fast", "trainer.num_train_epochs=3", *overrides).run()
        assert counters["inductor"]["cudagraph_skips"] == 0
        metrics.append(RunDirectory(tmp_path / graphs).metrics())
    assert metrics[0][-1]["val/top1"] > 0.2, "twice chance"
    losses = [[row["train/loss"] for row in rows] for rows in metrics]
    assert losses[0] == pytest.approx(losses[1], rel=5e-2)


def test_a_second_job_of_a_process_is_compiled_anew(make_loop, tmp_path):
    for width in (8, 12):
        overrides = ("trainer=fast", "trainer.num_train_epochs=2", f"model.widths=[{width},{width},{width}]")
        make_loop(tmp_path / str(width), *overrides).run()
        assert RunDirectory(tmp_path / str(width)).metrics()[-1]["val/top1"] > 0.15


def test_trained_taught_evaluated_and_explained_in_one_process(image_cache, tmp_path, monkeypatch):
    import cifar100

    monkeypatch.chdir(tmp_path)
    recipe = ["data=digits", "model.depths=[1,1,1]", "trainer=fast", "trainer.num_train_epochs=3"]
    teacher = cifar100.train(recipe, quiet=True)
    explain = ["gradcam"] if find_spec("captum") else ["confused"]
    assert cifar100.evaluate(teacher, latency=True, explain=explain)["test/top1"] > 0.2
    taught = cifar100.train([*recipe, "loss=distillation", f"loss.teacher={teacher}"], quiet=True)
    assert cifar100.evaluate(taught, latency=False)["test/top1"] > 0.2
