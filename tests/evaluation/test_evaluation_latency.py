"""Latency: what is timed, and that the numbers are those of the clock."""

import time

import pytest
import torch
from torch import nn

from cifar100.evaluation.latency import measure_latency
from cifar100.evaluation.precision import Precision


class Sleeper(nn.Module):
    """Takes 1 ms an image and remembers how it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, x):
        time.sleep(1e-3 * len(x))
        last = x.is_contiguous(memory_format=torch.channels_last)
        self.seen.append((tuple(x.shape), last, self.training, torch.is_inference_mode_enabled()))
        self.autocast = torch.is_autocast_enabled("cpu")
        return x * self.weight


def test_median_time_and_throughput():
    model = Sleeper().train()
    one = measure_latency(model, (3, 8, 8), batch_size=1, min_run_s=0.05)
    many = measure_latency(model, (3, 8, 8), batch_size=10, min_run_s=0.01, precision=Precision.BF16)
    assert 1e-3 <= one.min_s <= one.median_s < 1e-2
    assert one.repeats > many.repeats == 5
    assert 1e-2 <= many.median_s < 1e-1
    assert many.images_per_s == pytest.approx(10 / many.median_s)
    assert model.training and model.autocast
    assert set(model.seen) == {((1, 3, 8, 8), True, False, True), ((10, 3, 8, 8), True, False, True)}
