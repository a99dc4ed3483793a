"""Files that are whole or absent: written under a temporary name, flushed to disk, renamed."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar100.base.errors import RecordError

TEMPORARY = ".tmp"


def atomic_write(path: Path | str, *chunks: bytes | memoryview, keep: Path | None = None) -> None:
    """Make `path` hold the concatenated chunks, whatever happens on the way.

    A reader sees the old file or the new one. After an error the old file stands and no temporary is left; after
    SIGKILL or a power cut a temporary may be left, which `remove_temporaries` deletes. Folders are made as needed.
    The file that is replaced stays as `keep`, if given, on a file system that has hard links.
    Raises OSError naming `path` (full disk, read-only file system, no permission).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        with _named(path):
            try:
                _write_new(temporary, chunks)
                if keep is not None:
                    _keep_as(path, keep)
                os.replace(temporary, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise
            _sync_folder(path.parent)
    except IsADirectoryError:
        raise RecordError(path, "is a folder where a file belongs; move it away") from None


def _keep_as(path: Path, other: Path) -> None:
    """Let `other` be the file that `path` is now, without copying it; `path` stays. Nothing where that cannot be."""
    temporary = other.with_name(f".{other.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}")
    with suppress(OSError):
        os.link(path, temporary, follow_symlinks=False)
        os.replace(temporary, other)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Make an OSError name the file that was to be written: the temporary's name tells a user nothing."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_new(path: Path, chunks: tuple[bytes | memoryview, ...]) -> None:
    # os.open rather than tempfile: mkstemp's mode 0600 would hide a group's runs from its members
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Flush the rename; some network file systems cannot, and then keep the order by themselves."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path | str, limit: int) -> bytes | None:
    """The content of a plain file of at most `limit` bytes; None where there is none.

    Links, devices, pipes and folders are refused (RecordError): a foreign run directory may hold them, and reading
    one can block for ever, never end or show a file from elsewhere.
    """
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if path.is_symlink():
            raise RecordError(path, "is a link; put the file itself here") from None
        raise RecordError(path, f"cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(path, "is no plain file; move it away")
        if status.st_size > limit:
            raise RecordError(path, f"has {status.st_size} bytes, more than the {limit} that such a file may have")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise RecordError(path, f"grew beyond {limit} bytes while it was read")
    return content


def remove_temporaries(folder: Path) -> None:
    """Delete what writers that were killed left in `folder`; temporaries of living processes stay."""
    for path in folder.glob(f".*{TEMPORARY}"):
        pid = path.name.split(".")[-3]
        if pid.isdigit() and (int(pid) == os.getpid() or not is_alive(int(pid))):
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this machine has this number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
