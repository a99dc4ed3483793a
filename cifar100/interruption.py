"""SIGTERM and Control-C as the end of a command that can still note what must be noted."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cifar100 import sweep

PATIENCE_S = 2.0


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends the block as Control-C does, so that what must be noted at the end of a run is. Control-C reaches
    the worker processes of a sweep, too, and the signal that is passed on to them is the same request again."""
    since = -PATIENCE_S

    def terminate(signum: int, frame: FrameType | None) -> None:
        nonlocal since
        if time.monotonic() - since < PATIENCE_S:
            return
        since = time.monotonic()
        sweep.stop_workers()
        error = KeyboardInterrupt()
        error.signum = signal.Signals(signum)  # type: ignore[attr-defined]
        raise error

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Not where someone else has a use for the signal: a shell's background job, a scheduler's own handler.
    free = (signal.SIG_DFL, signal.default_int_handler)
    wanted = [signum for signum in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(signum) in free]
    before = {signum: signal.signal(signum, terminate) for signum in wanted}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
