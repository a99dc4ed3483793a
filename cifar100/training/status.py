"""How a run ended, in its record."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from cifar100.record import RunDirectory

log = logging.getLogger(__name__)


@contextmanager
def true_status(record: RunDirectory) -> Iterator[None]:
    """Notes in the record that the run of the block was interrupted, or failed and why. Call with its lock held."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        note = {} if interrupted else {"error": f"{type(error).__name__}: {error}"}
        try:
            record.write_status("interrupted" if interrupted else "failed", **note)
        except OSError as fault:  # the full disk that stopped the run is still full
            log.warning("the status could not be written: %s", fault)
        raise
