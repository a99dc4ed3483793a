"""Time of a forward pass: latency of one image, throughput of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import nn

from cifar100.evaluation.costs import evaluation_mode
from cifar100.evaluation.precision import Precision

WARM_UP = 2
MIN_REPEATS = 5


@dataclass(frozen=True)
class Latency:
    """Seconds of one forward pass on a batch of `batch_size` images: median and fastest of `repeats` passes."""

    batch_size: int
    median_s: float
    min_s: float
    repeats: int

    @property
    def images_per_s(self) -> float:
        return self.batch_size / self.median_s


def measure_latency(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    *,
    batch_size: int,
    precision: Precision = Precision.FLOAT32,
    min_run_s: float = 1.0,
) -> Latency:
    """Times `model`, uncompiled, in evaluation mode and without gradients, on the device its weights are on.

    The input is one batch of noise of `input_shape` (channels, height, width), channels last, already on that device:
    no loading, no copies. After a warm-up, passes are timed one by one, the device synchronised after each, for
    `min_run_s` seconds and at least 5 passes, with the number of threads that torch has.
    """
    model = getattr(model, "_orig_mod", model)
    device = next(model.parameters()).device
    images = torch.randn(batch_size, *input_shape, generator=torch.Generator().manual_seed(0)).to(device)
    images = images.contiguous(memory_format=torch.channels_last)
    times: list[float] = []
    with evaluation_mode(model), torch.inference_mode(), precision.autocast(device):
        for _ in range(WARM_UP):
            _pass(model, images)
        while len(times) < MIN_REPEATS or sum(times) < min_run_s:
            times.append(_pass(model, images))
    return Latency(batch_size, median(times), min(times), len(times))


def _pass(model: nn.Module, images: torch.Tensor) -> float:
    start = perf_counter()
    model(images)
    if images.device.type != "cpu":
        torch.accelerator.synchronize(images.device)
    return perf_counter() - start
