"""The progress bar and the lines of the log."""

import logging

import pytest
import torch

from cifar100.metrics import Totals
from cifar100.training import progress as module
from cifar100.training.progress import Display, Progress

ROW = {"epoch": 2, "train/loss": 1.25, "train/top1": 0.5, "epoch_s": 3725.0, "images_per_s": 1000.4, "lr": 0.1}


@pytest.fixture
def on_terminal(monkeypatch, capsys):
    monkeypatch.setattr(module, "REFRESH_S", 0)
    return capsys


def totals() -> Totals:
    sums = Totals()
    logits = torch.tensor([[9.0, 0.0], [9.0, 0.0]])
    sums.update(logits, torch.tensor([0, 1]), torch.tensor(0.25))
    return sums


def test_the_bar_shows_where_the_run_stands(on_terminal):
    with Display(3, 10, 12, quiet=False) as display:
        display.step(totals(), Progress(epoch=1, step=5, epoch_s=0.5))
        shown = on_terminal.readouterr().err
    for part in ("epoch 2/3", "15/30", "loss 0.250", "top-1 50.0%", "4 images/s"):
        assert part in shown


def test_a_quiet_bar_shows_nothing_and_reads_no_sums(on_terminal):
    with Display(3, 10, 0, quiet=True) as display:
        display.step(None, Progress(step=5))
    assert on_terminal.readouterr() == ("", "")


def test_without_a_terminal_a_line_every_now_and_then(monkeypatch, caplog):
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0, 62.0, 62.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO), Display(3, 10, 0, quiet=True) as display:
        for step in (3, 5, 6, 8):
            display.step(totals(), Progress(epoch=1, step=step, epoch_s=step * 2.0))
    first, second = caplog.messages
    assert first == "epoch 2/3, step 5/10: loss 0.250, top-1 50.0%, 0 images/s, 0:30 left"
    assert second.startswith("epoch 2/3, step 8/10: ")


def test_of_several_processes_one_speaks(monkeypatch, caplog):
    monkeypatch.setattr(module, "LINE_S", 0)
    with caplog.at_level(logging.INFO), Display(3, 10, 0, quiet=True, main=False) as display:
        display.step(None, Progress(step=5))
    assert not caplog.messages


def test_a_line_for_each_epoch(caplog):
    with caplog.at_level(logging.INFO), Display(4, 10, 0, quiet=True) as display:
        display.epoch(ROW)
        display.epoch(ROW | {"epoch": 4, "val/loss": 2.5, "val/top1": 0.25, "val/top5": 0.75, "epoch_s": 60.2})
    first, last = caplog.messages
    assert first == "epoch 2/4  loss 1.2500  top-1 50.00%  1000 images/s  3725.0 s  2:04:10 left"
    assert last.startswith("epoch 4/4  ") and last.endswith("val top-1 25.00%  val top-5 75.00%  1000 images/s  60.2 s")
