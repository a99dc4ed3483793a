"""Linear decay."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from cifar100.optim.warmup import warmup_steps


def linear(
    optimizer: Optimizer, num_training_steps: int, steps_per_epoch: int, warmup_epochs: float = 0
) -> LRScheduler:
    """A straight line from lr to 0 over all steps after the warm-up."""
    return get_scheduler(
        "linear",
        optimizer,
        num_warmup_steps=warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch),
        num_training_steps=num_training_steps,
    )
