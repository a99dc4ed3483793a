"""A constant learning rate."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_scheduler

from cifar100.optim.warmup import warmup_steps


def constant(
    optimizer: Optimizer, num_training_steps: int, steps_per_epoch: int, warmup_epochs: float = 0
) -> LRScheduler:
    """The optimizer's own lr at every step after the warm-up."""
    steps = warmup_steps(warmup_epochs, num_training_steps, steps_per_epoch)
    return get_scheduler("constant_with_warmup", optimizer, num_warmup_steps=steps)
