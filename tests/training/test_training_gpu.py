"""Training on a GPU. Skipped where there is none."""

import pytest
import torch

from cifar100.base.errors import Interrupted
from cifar100.record import RunDirectory
from cifar100.training.outcome import summary

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
