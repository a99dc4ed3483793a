"""Every error that a user may meet, under one base class, each with the exit status of a command that it ends.

Any other is a bug of this program and ends in a traceback, but for what `cifar100.mistakes` knows of other libraries
and of the operating system. Only models raise a plain ValueError, as torch's own modules do: `config.build`, which
builds them, turns it into a ConfigError.
"""

import errno
import signal
from pathlib import Path

from cifar100.base.text import one_line

FAILED, MISTYPED, ELSEWHERE = 1, 2, 3  # the last: another process still works on runs of the sweep


class UserError(ValueError):
    """The command cannot be carried out as typed. The message, one line, names the argument, its value and the cure."""

    exit_status = MISTYPED


class ConfigError(UserError):
    """A choice or an option that cannot be built, or has no effect."""


class MissingFile(FileNotFoundError, UserError):
    """A path that the user named does not exist."""


class RecordError(UserError):
    """A file of a run directory is missing, damaged or not what its name says."""

    def __init__(self, path: Path | str, fault: str) -> None:
        super().__init__(one_line(f"{path}: {fault}"))


class RunLocked(RecordError):
    """Another process works on the run directory."""


class OtherRun(RecordError):
    """A folder that the command would continue or report as finished holds the run of another experiment or of other
    images."""


class NotUsable(UserError):
    """A run that no table can hold yet: not finished or not evaluated."""


class EvaluationFailed(UserError):
    """Some runs of several could not be evaluated; the others were."""


class HubError(UserError):
    """The Hub has not what was asked for or does not allow it, or what it has is refused."""

    def __init__(self, text: object) -> None:
        super().__init__(one_line(text))


class RunFailed(UserError):
    """The command was right, but what it asked for came to no good end; the same command may, later."""

    exit_status = FAILED


class HubUnreachable(OSError, RunFailed):
    """The Hub gives no answer, or not now."""

    def __init__(self, text: object) -> None:
        super().__init__(errno.EHOSTUNREACH, one_line(text))

    def __str__(self) -> str:
        return self.strerror


class Diverged(RunFailed, ArithmeticError):
    """The loss is no longer a finite number."""

    def __init__(self, epoch: int, step: int, lr: float, loss: float) -> None:
        super().__init__(
            f"the loss became {loss} in epoch {epoch}, step {step}, at learning rate {lr:.3g}; use a smaller "
            "optimizer.lr, scheduler.warmup_epochs or trainer.max_grad_norm; the last checkpoint is kept"
        )


class RunMoved(RunFailed, OSError):
    """The run directory is not where it was when the run began."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was moved or deleted while its run went on; nothing more is written there, and what was saved is "
            "wherever the folder is now"
        )


class OutOfMemoryError(RunFailed, RuntimeError):
    """The memory does not suffice. torch raises its own error of this name for a GPU's memory only."""


class ProcessDied(RunFailed, RuntimeError):
    """Another process of this run ended without a word: killed, out of memory, or its machine is gone."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has died; the last checkpoint is kept and the same command continues"
        )


class FailedElsewhere(UserError):
    """Another process of this run failed; the message is its."""


class Pruned(Exception):
    """A search gave up the trial that this run is; the checkpoint stays, and the run typed by itself goes on."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"given up by its search after epoch {epoch}; typed by itself it goes on")
        self.epoch = epoch

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return type(self), (self.epoch,)


class SweepStopped(RunFailed):
    """A launcher or sweeper gave up, for instance since a worker process was killed."""

    def __init__(self, reason: BaseException) -> None:
        text = (str(reason).strip("\n '") or type(reason).__name__).splitlines()[0]
        super().__init__(f"the sweep stopped: {text.rstrip('.')}; the same command continues")


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGINT asked the run to stop; its state is saved and the same command continues it.

    A ``KeyboardInterrupt``, so that it ends a whole sweep, not only one of its jobs.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}; the same command continues")
        self.signum = signum

    @property
    def exit_status(self) -> int:
        return 128 + self.signum

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return type(self), (self.signum,)  # it passes from worker processes to the one that waits for them
