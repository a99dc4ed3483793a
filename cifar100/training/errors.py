"""What ends a run early."""

import signal


class Diverged(ArithmeticError):
    """The loss is no longer a finite number."""

    def __init__(self, epoch: int, step: int, lr: float, loss: float) -> None:
        super().__init__(
            f"the loss became {loss} in epoch {epoch}, step {step}, at learning rate {lr:.3g}; use a smaller "
            "optimizer.lr, scheduler.warmup_epochs or trainer.max_grad_norm; the last checkpoint is kept"
        )


class OutOfMemoryError(RuntimeError):
    """The memory does not suffice. torch raises its own error of this name for a GPU's memory only."""


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGINT asked the run to stop; its state is saved and the same command continues it.

    A ``KeyboardInterrupt``, so that it ends a whole sweep, not only one of its jobs.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}; the same command continues")
        self.signum = signum

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return type(self), (self.signum,)  # it passes from worker processes to the one that waits for them


class FailedElsewhere(ValueError):
    """Another process of this run failed; the message is its."""


class ProcessDied(RuntimeError):
    """Another process of this run ended without a word: killed, out of memory, or its machine is gone."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has died; the last checkpoint is kept and the same command continues"
        )
