"""Signals turned into a question that the loop asks between two steps."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cifar100.training.errors import Interrupted

# Launchers pass on to their processes a signal that the terminal has already sent to all of them.
PATIENCE_S = 2.0


class StopRequest:
    """The signal that asked the run to stop, if any."""

    signum: int | None = None
    since: float = 0.0

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.signum is None:
            self.signum, self.since = signum, now
        elif now - self.since > PATIENCE_S:
            raise Interrupted(signum)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """SIGTERM and SIGINT set the request; another, PATIENCE_S later, acts at once. Handlers are put back at the end.
    Outside the main thread, where Python takes no handlers, the request stays empty."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {signum: signal.signal(signum, request._receive) for signum in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
