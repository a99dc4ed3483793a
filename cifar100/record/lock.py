"""One process at a time on a run directory: an advisory lock that dies with its holder.

flock(2) rather than a file that exists or not: the kernel frees it when the holder ends, by SIGKILL too, so no stale
lock ever has to be judged. The library `filelock` takes the same kernel lock, but empties the file on opening it and
can only ask by acquiring exclusively; here the file keeps the holder's name, and a reader asks with a shared lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar100.base.errors import RecordError, RunLocked

_held: set[int] = set()


def _close_in_child() -> None:
    # A forked worker inherits the descriptor and would keep the lock alive after its parent was killed.
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


@contextmanager
def hold(path: Path, patience_s: float = 0.5) -> Iterator[Callable[[], bool]]:
    """Hold the lock file `path` for the duration of the block, to which goes a function that tells whether the file is
    still where it was.

    Readers hold it for microseconds when they ask `is_held`, hence the patience. Raises RunLocked naming the holder,
    RecordError where a lock cannot be had at all (read-only root, file system without locks).
    """
    descriptor = _acquire(path, patience_s)
    _held.add(descriptor)
    try:
        with suppress(OSError):  # a full disk: the name is a courtesy, the lock stands without it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield lambda: _stands(path, descriptor)
    finally:
        if descriptor in _held:  # not in a forked child, whose copy is closed already
            _held.remove(descriptor)
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _acquire(path: Path, patience_s: float) -> int:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            raise RecordError(path, f"cannot be written ({error.strerror}); choose another root=...") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # what is written to it would be elsewhere too
                raise RecordError(path, "is no plain file of its own; delete it")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _stands(path, descriptor):
                return descriptor
            os.close(descriptor)  # the run directory was deleted or moved in between: lock what stands there now
            path.parent.mkdir(parents=True, exist_ok=True)
        except BlockingIOError:
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise RunLocked(path.parent, f"{_holder(path)} works on this run; wait for it, or end it") from None
            time.sleep(0.02)
        except RecordError:
            os.close(descriptor)
            raise
        except OSError as error:
            os.close(descriptor)
            raise RecordError(path, f"cannot be locked ({error.strerror}); choose another root=...") from error


def _stands(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _holder(path: Path) -> str:
    try:
        with path.open("rb") as file:
            holder = json.loads(file.read(1000))
        return f"process {int(holder['pid'])} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"


def is_held(path: Path) -> bool:
    """Whether some process, this one included, holds the lock file `path`. Needs no right to write."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: no process can hold one
        return False
    finally:
        os.close(descriptor)
    return False
