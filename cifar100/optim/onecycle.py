"""The one-cycle schedule."""

import math
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from cifar100.optim.ranges import check_range
from cifar100.optim.warmup import warmup_factor, warmup_steps


def onecycle(
    optimizer: Optimizer,
    num_training_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> LambdaLR:
    """lr / div_factor rises to lr over the fraction `pct_start`, then falls to lr / div_factor / final_div_factor.

    Both by half a cosine, with the numbers of torch.optim.lr_scheduler.OneCycleLR after Smith and Topin (arXiv
    1708.07120). A warm-up goes before the cycle, from 0 to lr / div_factor. Deviation: momentum is not cycled, so that
    the schedule drives every optimizer alike and all it does is seen in lr.
    """
    rising = warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    factor = partial(
        _factor,
        num_warmup_steps=rising,
        num_cycle_steps=num_training_steps - rising,
        pct_start=check_range("pct_start", pct_start, 0.3, minimum=0, maximum=1),
        start=1 / check_range("div_factor", div_factor, 25, minimum=1),
        end=1 / div_factor / check_range("final_div_factor", final_div_factor, 1e4, minimum=1),
    )
    return LambdaLR(optimizer, factor)


def _factor(
    step: int, *, num_warmup_steps: int, num_cycle_steps: int, pct_start: float, start: float, end: float
) -> float:
    if step < num_warmup_steps:
        return start * warmup_factor(step, num_warmup_steps)
    position, peak, last = step - num_warmup_steps, pct_start * num_cycle_steps - 1, num_cycle_steps - 1
    if position <= peak:
        return _half_cosine(start, 1.0, position / peak if peak > 0 else 1.0)
    return _half_cosine(1.0, end, min(1.0, (position - peak) / (last - peak)) if last > peak else 1.0)


def _half_cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * fraction))
