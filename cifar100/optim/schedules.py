"""Learning rate schedules, each stepped once per optimizer step and called as
``(optimizer, num_training_steps, steps_per_epoch)``.

All begin with a linear warm-up of ``warmup_epochs`` epochs, a fraction of one too; options out of range raise
ValueError.
"""

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from transformers import get_scheduler

from cifar100.base.errors import UserError
from cifar100.base.values import check_range, is_number

DECAY_TYPES = ("1-sqrt", "linear", "cosine")


def constant(
    optimizer: Optimizer, num_training_steps: int, steps_per_epoch: int, warmup_epochs: float = 0
) -> LRScheduler:
    """The optimizer's own lr at every step after the warm-up."""
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    return get_scheduler("constant_with_warmup", optimizer, num_warmup_steps=rising)


def linear(
    optimizer: Optimizer, num_training_steps: int, steps_per_epoch: int, warmup_epochs: float = 0
) -> LRScheduler:
    """A straight line from lr to 0 over all steps after the warm-up."""
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    return get_scheduler("linear", optimizer, num_warmup_steps=rising, num_training_steps=num_training_steps)


def cosine(
    optimizer: Optimizer, num_training_steps: int, steps_per_epoch: int, warmup_epochs: float = 0, min_lr: float = 0.0
) -> LRScheduler:
    """Half a cosine from lr to `min_lr` over all steps after the warm-up (arXiv 1608.03983, equation 5, no restarts).

    `min_lr` is that of the first parameter group; other groups fall in the same proportion.
    """
    lr = optimizer.defaults["lr"]
    return get_scheduler(
        "cosine_with_min_lr",
        optimizer,
        num_warmup_steps=_warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch),
        num_training_steps=num_training_steps,
        scheduler_specific_kwargs={"min_lr_rate": check_range("min_lr", min_lr, 0, minimum=0, maximum=lr) / lr},
    )


def wsd(
    optimizer: Optimizer,
    num_training_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0,
    decay_fraction: float = 0.2,
    decay_type: str = "1-sqrt",
    min_lr: float = 0.0,
) -> LRScheduler:
    """Warm-up, stable, decay: lr is held, then falls to `min_lr` over the last `decay_fraction` of all steps (arXiv
    2404.06395).

    The decay 1 - sqrt(t) is that of arXiv 2405.18392. `min_lr` is that of the first parameter group; other groups fall
    in the same proportion. Following transformers the warm-up starts from `min_lr`, not from 0.
    """
    if decay_type not in DECAY_TYPES:
        raise UserError(f"decay_type={decay_type!r} is unknown; use one of {', '.join(DECAY_TYPES)}")
    lr = optimizer.defaults["lr"]
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    falling = round(check_range("decay_fraction", decay_fraction, 0.2, minimum=0, maximum=1) * num_training_steps)
    if rising + falling > num_training_steps:
        room = 1 - rising / num_training_steps
        raise UserError(
            f"decay_fraction={decay_fraction!r} leaves no room for warmup_epochs={warmup_epochs!r}; "
            f"use at most decay_fraction={room:.3g}"
        )
    min_lr_ratio = check_range("min_lr", min_lr, 0, minimum=0, maximum=lr) / lr
    return get_scheduler(
        "warmup_stable_decay",
        optimizer,
        num_warmup_steps=rising,
        num_training_steps=num_training_steps,
        scheduler_specific_kwargs={"num_decay_steps": falling, "decay_type": decay_type, "min_lr_ratio": min_lr_ratio},
    )


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
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    interval = check_range("step_epochs", step_epochs, 30, above=0) * steps_per_epoch
    gamma = check_range("gamma", gamma, 0.1, above=0, maximum=1)
    return LambdaLR(optimizer, lambda at: _rise(at, rising) * gamma ** int(at / interval))


def multistep(
    optimizer: Optimizer,
    num_training_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0,
    milestones: Sequence[float] = (0.5, 0.75),
    gamma: float = 0.1,
) -> LambdaLR:
    """lr is multiplied by `gamma` at each of `milestones`, fractions of all training steps, the warm-up included.

    0.5 and 0.75 are those of ResNet on CIFAR (arXiv 1512.03385, section 4.2); torch's MultiStepLR counts epochs, which
    do not scale with the length of the training.
    """
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    fractions = _check_milestones(milestones)
    gamma = check_range("gamma", gamma, 0.1, above=0, maximum=1)

    def factor(at: int) -> float:
        return _rise(at, rising) * gamma ** sum(at / num_training_steps >= fraction for fraction in fractions)

    return LambdaLR(optimizer, factor)


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
    rising = _warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    last = num_training_steps - rising - 1
    peak = check_range("pct_start", pct_start, 0.3, minimum=0, maximum=1) * (last + 1) - 1
    start = 1 / check_range("div_factor", div_factor, 25, minimum=1)
    end = 1 / div_factor / check_range("final_div_factor", final_div_factor, 1e4, minimum=1)

    def factor(at: int) -> float:
        position = at - rising
        if position < 0:
            return start * _rise(at, rising)
        if position <= peak:
            return _half_cosine(start, 1.0, position / peak if peak > 0 else 1.0)
        return _half_cosine(1.0, end, min(1.0, (position - peak) / (last - peak)) if last > peak else 1.0)

    return LambdaLR(optimizer, factor)


def _warmup_steps(warmup_epochs: float, num_training_steps: int, steps_per_epoch: int) -> int:
    """Optimizer steps of the warm-up, rounded to the nearest."""
    for name, steps in (("num_training_steps", num_training_steps), ("steps_per_epoch", steps_per_epoch)):
        if steps < 1:
            raise UserError(f"{name}={steps} must be >= 1; train for at least one step")
    steps = round(check_range("warmup_epochs", warmup_epochs, 5, minimum=0) * steps_per_epoch)
    if steps > num_training_steps:
        most = num_training_steps / steps_per_epoch
        raise UserError(
            f"warmup_epochs={warmup_epochs!r} is longer than the training; use at most warmup_epochs={most:g}"
        )
    return steps


def _rise(at: int, warmup_steps: int) -> float:
    """The warm-up's part in the learning rate of step ``at``, as in transformers' schedules."""
    return 1.0 if at >= warmup_steps else at / warmup_steps


def _half_cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * fraction))


def _check_milestones(milestones: Sequence[float]) -> tuple[float, ...]:
    cure = "use rising fractions of the training, for instance milestones=[0.5,0.75]"
    if isinstance(milestones, str) or not hasattr(milestones, "__iter__"):
        raise UserError(f"milestones={milestones!r} must be a list; {cure}")
    fractions = tuple(milestones)
    for fraction in fractions:
        if not is_number(fraction) or not 0 < fraction < 1:
            raise UserError(f"milestones={list(fractions)} must lie between 0 and 1; {cure}")
    if list(fractions) != sorted(set(fractions)):
        raise UserError(f"milestones={list(fractions)} must rise; {cure}")
    return fractions
