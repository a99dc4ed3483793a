"""How a run ended, in its record."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cifar100.record import RecordError, RunDirectory

log = logging.getLogger(__name__)


@contextmanager
def true_status(record: RunDirectory) -> Iterator[None]:
    """Notes in the record that the run of the block was interrupted, or failed and why. Call with its lock held."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)  # the latter by a scheduler's warning
        note = {} if interrupted else {"error": _told(error)}
        try:
            record.write_status("interrupted" if interrupted else "failed", **note)
        except OSError as fault:  # the full disk that stopped the run is still full
            log.warning("the status could not be written: %s", fault)
        raise


def note_failure(record: RunDirectory, error: Exception, config: dict[str, Any]) -> None:
    """Notes that a run failed before :func:`true_status` could watch over it, such as for a choice that is refused.

    A finished run, one that another process works on, and what has been noted already stay as they are.
    """
    if os.environ.get("RANK", "0") != "0":
        return
    with suppress(RecordError, OSError), record.lock():
        status = record.status() or {}
        if status.get("state") == "finished" or status.get("error") == _told(error):
            return
        if not (record.path / "config.yaml").exists():
            record.write_config(config)
        record.write_status("failed", error=_told(error))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
