"""Files that are whole or absent: written under a temporary name, flushed to disk, renamed; and read within bounds."""

import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar100.base.errors import RecordError

TEMPORARY = ".tmp"


@contextmanager
def replacing(path: Path | str, keep: Path | None = None) -> Iterator[Path]:
    """Makes `path` the file that the block writes under the temporary name which it is given, whatever happens.

    A reader sees the old file or the new one. After an error the old file stands and no temporary is left; after
    SIGKILL or a power cut a temporary may be left, which `remove_temporaries` deletes. Folders are made as needed.

    Args:
        keep: a name under which the file that is replaced stays, on a file system that has hard links.

    Raises:
        OSError: naming `path` (full disk, read-only file system, no permission).
        RecordError: `path` is a folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with _named(path):
            try:
                # Not tempfile.mkstemp, whose mode 0600 would hide a group's runs from its members.
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
                mode = stat.S_IMODE(os.stat(temporary).st_mode)
                yield temporary
                os.chmod(temporary, mode)  # safetensors leaves a file for its owner only
                _sync(temporary)
                if keep is not None:
                    _keep_as(path, keep)
                os.replace(temporary, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise
            with suppress(OSError):  # some network file systems cannot, and then keep the order by themselves
                _sync(path.parent)
    except IsADirectoryError:
        raise RecordError(path, "is a folder where a file belongs; move it away") from None


def atomic_write(path: Path | str, *chunks: bytes | memoryview, keep: Path | None = None) -> None:
    """Makes `path` hold the concatenated chunks; raises as `replacing`."""
    with replacing(path, keep) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY}")


def _keep_as(path: Path, other: Path) -> None:
    """Lets `other` be the file that `path` is now, without copying it; `path` stays. Nothing where that cannot be."""
    temporary = _temporary(other)
    with suppress(OSError):
        os.link(path, temporary, follow_symlinks=False)
        os.replace(temporary, other)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Makes an OSError name the file that was to be written: the temporary's name tells a user nothing."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _sync(path: Path) -> None:
    """Flushes a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path | str, limit: int) -> bytes | None:
    """The content of a plain file of at most `limit` bytes; None where there is none.

    Raises:
        RecordError: a link, device, pipe or folder, or a larger file. A foreign run directory may hold them, and
            reading one can block for ever, never end or show a file from elsewhere.
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
            data = file.read(min(status.st_size, limit) + 1)  # read() reserves as much as it is asked for
    finally:
        os.close(descriptor)
    if len(data) > status.st_size:
        raise RecordError(path, "grew while it was read; read it again when nobody writes it")
    return data


def remove_temporaries(folder: Path, older_than_s: float | None = None) -> None:
    """Deletes what writers that were killed left in `folder`; temporaries of living processes stay.

    Args:
        older_than_s: seconds after which a temporary is taken for abandoned, where writers on other machines, whose
            processes nobody knows here, may be at work on the folder.
    """
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(FileNotFoundError):  # another writer's, renamed just now
            if older_than_s is not None:
                abandoned = time.time() - path.stat().st_mtime > older_than_s
            else:
                pid = path.name.split(".")[-3]
                abandoned = pid.isdigit() and (int(pid) == os.getpid() or not is_alive(int(pid)))
            if abandoned:
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


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/cifar100, or the platform's own place for caches."""
    if root := os.environ.get("XDG_CACHE_HOME"):
        return Path(root) / "cifar100"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "cifar100"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/cifar100"
    try:
        return Path.home() / ".cache/cifar100"
    except RuntimeError:  # a user without a home, as containers have
        return Path(tempfile.gettempdir()) / f"cifar100-{os.getuid()}"


def remove_empty(folder: Path, root: Path) -> None:
    """Removes ``folder`` if it is empty, and then empty ones above it up to ``root``."""
    while folder.is_dir() and folder.resolve().is_relative_to(root.resolve()) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
