"""Cosine decay."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from cifar100.optim.ranges import check_range
from cifar100.optim.warmup import warmup_steps


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
        num_warmup_steps=warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch),
        num_training_steps=num_training_steps,
        scheduler_specific_kwargs={"min_lr_rate": check_range("min_lr", min_lr, 0, minimum=0, maximum=lr) / lr},
    )
