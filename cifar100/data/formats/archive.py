"""Named files out of a folder or a tar archive, in memory; nothing is ever extracted."""

import gzip
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO

from cifar100.base.errors import UserError

# The original archives unpack to less than 190 MB.
_MAX_BYTES = 400 * 2**20
# They have eight members, and no header beyond the usual 512 bytes.
_MOST_MEMBERS = 10_000
_MOST_HEADER_BYTES = 2**16


def is_archive(source: Path) -> bool:
    return source.is_file() and source.name.endswith((".tar.gz", ".tgz", ".tar"))


def read_files(source: Path, folder: str, names: Collection[str]) -> dict[str, bytes] | None:
    """The content of `names` in `folder` inside source, or in source itself if they are there.

    None if source does not have them all. An archive is read in one pass up to its checksum; only regular files called
    folder/name are looked at, so other paths, links and devices in it mean nothing.

    Raises:
        ValueError: an archive that is damaged, or that unpacks to more than the original could.
    """
    if source.is_file():
        return _read_archive(source, folder, names)
    for place in (source, source / folder):
        if all((place / name).is_file() for name in names):
            if sum((place / name).stat().st_size for name in names) > _MAX_BYTES:
                raise UserError(f"data.path={place} is larger than the original; get it again")
            return {name: (place / name).read_bytes() for name in names}
    return None


def _read_archive(source: Path, folder: str, names: Collection[str]) -> dict[str, bytes] | None:
    found: dict[str, bytes] = {}
    try:
        with _open(source) as plain:
            stream = _Bounded(plain, source)
            archive = tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member)
            for count, member in enumerate(archive):
                archive.members.clear()  # tarfile keeps them all, a kilobyte for every 512 bytes
                if count >= _MOST_MEMBERS:
                    raise tarfile.ReadError(f"it has more than {_MOST_MEMBERS} members")
                path = PurePosixPath(member.name)
                if member.isreg() and path.name in names and path.parent == PurePosixPath(folder):
                    if member.issparse() or member.size > _MAX_BYTES:  # holes take no room in the file, but in memory
                        raise UserError(f"data.path={source} unpacks to more than the original archive; get it again")
                    found[path.name] = archive.extractfile(member).read()  # type: ignore[union-attr]
            while stream.read(2**20):  # up to the checksum, which stands behind what tar reads
                pass
    except UserError:
        raise
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, zlib.error) as error:
        raise UserError(f"data.path={source} is no readable archive ({error}); get it again") from None
    return found if len(found) == len(names) else None


def _open(source: Path) -> IO[bytes]:
    with source.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(source) if packed else source.open("rb")


class _Member(tarfile.TarInfo):
    """A member whose further headers, of long names and options, are short: tarfile makes objects of all in them."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if not self.isreg() and self.size > _MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Bounded:
    """A stream that refuses to go on for too long, as a small archive can unpack to any size."""

    def __init__(self, stream: IO[bytes], source: Path) -> None:
        self._stream, self._source, self._left = stream, source, _MAX_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"data.path={self._source} unpacks to more than the original archive; get it again")
        return data
