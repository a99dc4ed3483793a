"""Archives are read in memory: whatever paths and links they hold, nothing is written or followed."""

import gzip
import io
import resource
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from cifar100.data.formats import archive
from cifar100.data.formats.archive import read_files

NAMES = ("meta", "train")


def pack(file: Path, members: list[tuple[str, bytes | tarfile.TarInfo]], mode: str = "w:gz") -> Path:
    with tarfile.open(file, mode) as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return file


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("prefix", ["cifar-100-python/", "./cifar-100-python/"])
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_reads_the_named_files(prefix: str, mode: str, tmp_path: Path) -> None:
    members = [(prefix + "train", b"T"), (prefix + "file.txt~", b"x"), (prefix + "meta", b"M")]
    source = pack(tmp_path / "a.tar.gz", members, mode)
    assert read_files(source, "cifar-100-python", NAMES) == {"train": b"T", "meta": b"M"}


@pytest.mark.parametrize(
    "name", ["../train", "/train", "../cifar-100-python/train", "cifar-100-python/../train", "x/cifar-100-python/train"]
)
def test_other_places_mean_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = pack(tmp_path / "in/a.tar.gz", [(name, b"evil"), ("cifar-100-python/meta", b"M")])
    assert read_files(source, "cifar-100-python", NAMES) is None
    assert [file.name for file in tmp_path.rglob("*")] == ["in", "a.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_and_devices_mean_nothing(kind: bytes, tmp_path: Path) -> None:
    members = [("cifar-100-python/train", link("/etc/passwd", kind)), ("cifar-100-python/meta", b"M")]
    assert read_files(pack(tmp_path / "a.tar.gz", members), "cifar-100-python", NAMES) is None


def test_small_archives_cannot_unpack_to_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MAX_BYTES", 10_000_000)
    source = pack(tmp_path / "a.tar.gz", [("cifar-100-python/train", bytes(20_000_000))])
    assert source.stat().st_size < 100_000
    with pytest.raises(ValueError, match="unpacks to more than the original archive"):
        read_files(source, "cifar-100-python", NAMES)


@pytest.mark.parametrize("place", [20, 0.3, 0.6, 0.9, -6])
def test_a_flipped_byte_is_noticed(place: float, tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    source = pack(tmp_path / "a.tar.gz", [("cifar-100-python/train", content), ("cifar-100-python/meta", b"M")])
    damaged = bytearray(source.read_bytes())
    damaged[int(place * len(damaged)) if 0 < place < 1 else int(place)] ^= 0x10
    source.write_bytes(damaged)
    with pytest.raises(ValueError, match="no readable archive"):
        read_files(source, "cifar-100-python", NAMES)


def test_oversized_files_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MAX_BYTES", 100)
    for name in NAMES:
        (tmp_path / name).write_bytes(bytes(60))
    with pytest.raises(ValueError, match="larger than the original"):
        read_files(tmp_path, "cifar-100-python", NAMES)


def test_plain_gzip_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(b"hello" * 1000))
    with pytest.raises(ValueError, match="no readable archive"):
        read_files(tmp_path / "a.tar.gz", "cifar-100-python", NAMES)


def test_a_sparse_member_cannot_ask_for_memory(tmp_path: Path) -> None:
    """A member of half a kilobyte that says it holds three gigabytes, nearly all of them holes (GNU's sparse 1.0)."""
    size = 3 * 10**9
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "cifar-100-python/train"}
    member = tarfile.TarInfo("hole")
    member.pax_headers = {**sparse, "GNU.sparse.realsize": str(size)}
    content = f"1\n{size}\n0\n".encode().ljust(512, b"\0")
    member.size = len(content)
    with tarfile.open(tmp_path / "sparse.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(content))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="unpacks to more than the original archive"):
        read_files(tmp_path / "sparse.tar", "cifar-100-python", ("train", "test"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "in KiB"


def chained(kind: bytes, count: int, content: bytes) -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, len(content)
    return (header.tobuf() + content + bytes(-len(content) % 512)) * count + tarfile.TarInfo("y").tobuf() + bytes(1024)


OPTIONS = b"".join(b"%d k%07d=\n" % (13, number) for number in range(100_000))
ARCHIVES = {
    "a name of megabytes": chained(tarfile.GNUTYPE_LONGNAME, 1, b"x" * 2_000_000),
    "options by the hundred thousand": chained(tarfile.XHDTYPE, 1, OPTIONS),
    "options for all members": chained(tarfile.XGLTYPE, 1, OPTIONS),
    "headers of headers of headers": chained(tarfile.XHDTYPE, 3000, b"11 comment=\n"),
    "members without end": tarfile.TarInfo("x").tobuf() * 11_000 + bytes(1024),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_tarfile_would_make_objects_of_is_bounded(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(ARCHIVES[name])
    tracemalloc.start()
    with pytest.raises(ValueError, match="no readable archive") as error:
        read_files(tmp_path / "a.tar", "cifar-100-python", NAMES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 2**20 and "\n" not in str(error.value)
