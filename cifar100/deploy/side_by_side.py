"""Two networks timed in turns, so that whatever else the machine does meets both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import torch
from torch import Tensor

WARM_UP = 3


@dataclass(frozen=True)
class SideBySide:
    """Median seconds of one pass, by the clock and of the processor, of each of two networks on the same batch."""

    batch_size: int
    repeats: int
    first_s: float
    second_s: float
    first_cpu_s: float
    second_cpu_s: float

    @property
    def speedup(self) -> float:
        """How many times as fast the second is, by processor time: on a busy machine the clock counts others' work."""
        return self.first_cpu_s / self.second_cpu_s


def side_by_side(
    first: Callable[[Tensor], Tensor],
    second: Callable[[Tensor], Tensor],
    shape: tuple[int, int, int],
    *,
    batch_size: int,
    repeats: int = 100,
) -> SideBySide:
    """Times passes of `first` and `second` in turns on one batch of noise of `shape` (channels, height, width)."""
    images = torch.randn(batch_size, *shape, generator=torch.Generator().manual_seed(0))
    clock: tuple[list[float], list[float]] = ([], [])
    processor: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + repeats):
        for index, network in enumerate((first, second)):
            wall, cpu = perf_counter(), process_time()
            network(images)
            if number >= WARM_UP:
                processor[index].append(process_time() - cpu)
                clock[index].append(perf_counter() - wall)
    medians = (median(times) for times in (*clock, *processor))
    return SideBySide(batch_size, repeats, *medians)
