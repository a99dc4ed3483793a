"""The lines that a command prints and writes down, on a terminal that may be closed and a disk that may be full."""

import errno
import logging
import os
import stat
import sys
from contextlib import suppress
from typing import TextIO

from cifar100 import sweep
from cifar100.base.errors import RecordError
from cifar100.base.text import visible


class TerminalHandler(logging.Handler):
    """Prints log lines without tearing a progress bar, as long as someone reads them."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        with suppress(OSError, ValueError):  # nobody reads, the disk is full, the stream is closed
            tqdm.write(sweep.prefix() + visible(self.format(record)), file=sys.stdout)
            sys.stdout.flush()


class RunLog(logging.FileHandler):
    """A run's train.log. A full disk loses lines of it, not the run: the checkpoints say whether that can go on.

    A link, pipe or device that stands in the place of the file is never written through.

    Raises:
        RecordError: the file is there and is no plain file of its own.
    """

    def check(self) -> None:
        """Opens a file that is there already, so that it is refused before the work, not at its first line."""
        if os.path.lexists(self.baseFilename):
            with suppress(OSError):
                self.stream = self._open()

    def _open(self) -> TextIO:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        refused = RecordError(self.baseFilename, "is no plain file of its own; delete it")
        try:
            descriptor = os.open(self.baseFilename, flags, 0o666)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                raise refused from None
            raise
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # the lines would be elsewhere too
            os.close(descriptor)
            raise refused
        return os.fdopen(descriptor, self.mode, encoding=self.encoding, errors=self.errors)

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


class MainProcess(logging.Filter):
    """Lets through the log of the first of several processes, and every process's warnings."""

    def filter(self, record: logging.LogRecord) -> bool:
        return is_main() or record.levelno >= logging.WARNING


def is_main() -> bool:
    return os.environ.get("RANK", "0") == "0"


def open_output() -> None:
    """Lets no output end a run: closed streams lead nowhere, and characters that a terminal lacks are escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # for the process's life
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
