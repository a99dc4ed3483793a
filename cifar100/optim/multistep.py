"""Step decay at given moments."""

from collections.abc import Sequence
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from cifar100.optim.ranges import check_range
from cifar100.optim.warmup import warmup_factor, warmup_steps


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
    factor = partial(
        _factor,
        num_training_steps=num_training_steps,
        num_warmup_steps=warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch),
        milestones=_check_milestones(milestones),
        gamma=check_range("gamma", gamma, 0.1, above=0, maximum=1),
    )
    return LambdaLR(optimizer, factor)


def _factor(
    step: int, *, num_training_steps: int, num_warmup_steps: int, milestones: tuple[float, ...], gamma: float
) -> float:
    passed = sum(step / num_training_steps >= milestone for milestone in milestones)
    return warmup_factor(step, num_warmup_steps) * gamma**passed


def _check_milestones(milestones: Sequence[float]) -> tuple[float, ...]:
    cure = "use rising fractions of the training, for instance milestones=[0.5,0.75]"
    if isinstance(milestones, str) or not hasattr(milestones, "__iter__"):
        raise ValueError(f"milestones={milestones!r} must be a list; {cure}")
    fractions = tuple(milestones)
    for fraction in fractions:
        if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 < fraction < 1:
            raise ValueError(f"milestones={list(fractions)} must lie between 0 and 1; {cure}")
    if list(fractions) != sorted(set(fractions)):
        raise ValueError(f"milestones={list(fractions)} must rise; {cure}")
    return fractions
