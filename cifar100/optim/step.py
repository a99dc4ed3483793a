"""Step decay at equal intervals."""

from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from cifar100.optim.ranges import check_range
from cifar100.optim.warmup import warmup_factor, warmup_steps


def step(
    optimizer: Optimizer,
    num_training_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0,
    step_epochs: float = 30,
    gamma: float = 0.1,
) -> LambdaLR:
    """lr is multiplied by `gamma` every `step_epochs` epochs, counted from the first step, the warm-up included.

    torch.optim.lr_scheduler.StepLR counts whole epochs; here a fraction of one will do.
    """
    factor = partial(
        _factor,
        num_warmup_steps=warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch),
        interval=check_range("step_epochs", step_epochs, 30, above=0) * steps_per_epoch,
        gamma=check_range("gamma", gamma, 0.1, above=0, maximum=1),
    )
    return LambdaLR(optimizer, factor)


def _factor(step: int, *, num_warmup_steps: int, interval: float, gamma: float) -> float:
    return warmup_factor(step, num_warmup_steps) * gamma ** int(step / interval)
