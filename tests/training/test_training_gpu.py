"""Training on a GPU. Skipped where there is none."""

import pytest
import torch

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
    "overrides", [("ema_decay=0.9",), ("augment=trivialaugment", "trainer.dataloader_num_workers=2")]
)
def test_compiled_in_bfloat16_with_batch_norm(make_loop, tmp_path, overrides):
    loop = make_loop(tmp_path, "trainer=fast", "trainer.num_train_epochs=3", *overrides)
    loop.run()
    assert RunDirectory(tmp_path).metrics()[-1]["val/top1"] > 0.2, "twice chance"
