"""The linear warm-up that every schedule begins with."""

from cifar100.optim.ranges import check_range


def warmup_steps(warmup_epochs: float, num_training_steps: int, steps_per_epoch: int) -> int:
    """Optimizer steps of a warm-up of `warmup_epochs` epochs, a fraction too, rounded to the nearest step."""
    for name, steps in (("num_training_steps", num_training_steps), ("steps_per_epoch", steps_per_epoch)):
        if steps < 1:
            raise ValueError(f"{name}={steps} must be >= 1; train for at least one step")
    steps = round(check_range("warmup_epochs", warmup_epochs, 5, minimum=0) * steps_per_epoch)
    if steps > num_training_steps:
        epochs = num_training_steps / steps_per_epoch
        raise ValueError(
            f"warmup_epochs={warmup_epochs!r} is longer than the training; use at most warmup_epochs={epochs:g}"
        )
    return steps


def warmup_factor(step: int, num_warmup_steps: int) -> float:
    """What the learning rate is multiplied by: step / num_warmup_steps up to 1, as in transformers' schedules."""
    return 1.0 if step >= num_warmup_steps else step / num_warmup_steps
