"""Warm-up, stable, decay."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from cifar100.optim.ranges import check_range
from cifar100.optim.warmup import warmup_steps

DECAY_TYPES = ("1-sqrt", "linear", "cosine")


def wsd(
    optimizer: Optimizer,
    num_training_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0,
    decay_fraction: float = 0.2,
    decay_type: str = "1-sqrt",
    min_lr: float = 0.0,
) -> LRScheduler:
    """lr is held, then falls to `min_lr` over the last `decay_fraction` of all steps (arXiv 2404.06395).

    The decay 1 - sqrt(t) is that of arXiv 2405.18392. `min_lr` is that of the first parameter group; other groups fall
    in the same proportion. Following transformers the warm-up starts from `min_lr`, not from 0.
    """
    if decay_type not in DECAY_TYPES:
        raise ValueError(f"decay_type={decay_type!r} is unknown; use one of {', '.join(DECAY_TYPES)}")
    lr = optimizer.defaults["lr"]
    rising = warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    falling = round(check_range("decay_fraction", decay_fraction, 0.2, minimum=0, maximum=1) * num_training_steps)
    if rising + falling > num_training_steps:
        room = 1 - rising / num_training_steps
        raise ValueError(
            f"decay_fraction={decay_fraction!r} leaves no room for warmup_epochs={warmup_epochs!r}; "
            f"use at most decay_fraction={room:.3g}"
        )
    return get_scheduler(
        "warmup_stable_decay",
        optimizer,
        num_warmup_steps=rising,
        num_training_steps=num_training_steps,
        scheduler_specific_kwargs={
            "num_decay_steps": falling,
            "decay_type": decay_type,
            "min_lr_ratio": check_range("min_lr", min_lr, 0, minimum=0, maximum=lr) / lr,
        },
    )
