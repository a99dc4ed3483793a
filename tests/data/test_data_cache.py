"""The cache: mapped when it is good, read again when it is not, never half written."""

import errno
import json
import logging
import multiprocessing
import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from cifar100.base import files
from cifar100.base.files import cache_folder
from cifar100.data import cifar
from cifar100.data.cache import source_key
from cifar100.data.cifar import read_cifar100

fork = multiprocessing.get_context("fork")


@pytest.fixture
def source(small_cifar100, forms, tmp_path: Path) -> Path:
    return forms.binary(tmp_path / "cifar-100-binary", small_cifar100[1])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sources that were read, not taken from the cache."""
    seen: list[Path] = []
    original = cifar._read_source
    monkeypatch.setattr(cifar, "_read_source", lambda source, spec: (seen.append(source), original(source, spec))[1])
    return seen


def read(source: Path, cache: Path):
    return read_cifar100(str(source), cache_dir=str(cache), val_size=100)


def content(cache: Path) -> Path:
    (file,) = (cache / "content").iterdir()
    return file


def test_second_read_comes_mapped_from_the_cache(source: Path, reads: list[Path], tmp_path: Path) -> None:
    first, second = read(source, tmp_path / "cache"), read(source, tmp_path / "cache")
    assert reads == [source]
    assert first.fingerprint == second.fingerprint and torch.equal(first.train.images, second.train.images)
    assert second.train.images.is_contiguous(memory_format=torch.channels_last)
    # The held-out part and the training part are views of one mapping.
    assert second.train.images.untyped_storage().data_ptr() == second.val.images.untyped_storage().data_ptr()
    if sys.platform == "linux":
        assert content(tmp_path / "cache").name in Path("/proc/self/maps").read_text()
    usual = source / "train.bin"
    assert {file.stat().st_mode for file in (tmp_path / "cache").rglob("*.*")} == {usual.stat().st_mode}


def test_changed_source_is_read_again(source: Path, reads: list[Path], tmp_path: Path) -> None:
    read(source, tmp_path / "cache")
    os.utime(source / "train.bin", ns=(1, 1))
    read(source, tmp_path / "cache")
    assert len(reads) == 2 and len(list((tmp_path / "cache/content").iterdir())) == 1


def test_source_key_tells_files_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12")
    keys = [source_key(tmp_path), source_key(tmp_path / "a"), source_key(tmp_path, "64 3")]
    (tmp_path / "b").write_bytes(b"")
    keys.append(source_key(tmp_path))
    (tmp_path / "a").write_bytes(b"123")
    keys.append(source_key(tmp_path))
    assert len(set(keys)) == len(keys) and keys[-1] == source_key(tmp_path / "b/..")


def test_published_content_serves_as_the_usual_source(
    source: Path, reads: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    fingerprint = read(source, tmp_path / "other").fingerprint
    monkeypatch.setattr(cifar, "CIFAR100", replace(cifar.CIFAR100, fingerprint=fingerprint))
    read(source, tmp_path / "cache")
    assert read_cifar100(cache_dir=str(tmp_path / "cache"), val_size=0).fingerprint == fingerprint
    assert len(reads) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped pixel", "flipped label", "header", "empty", "other", "missing"])
def test_damaged_content_is_read_again(
    damage: str, source: Path, reads: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fingerprint = read(source, tmp_path / "cache").fingerprint
    file = content(tmp_path / "cache")
    whole = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    else:
        if damage.startswith("flipped"):
            whole[-5 if damage == "flipped label" else len(whole) // 2] ^= 1
        elif damage == "header":
            whole[20] ^= 1
        file.write_bytes({"cut": whole[:-1000], "empty": b"", "other": b"hello" * 100}.get(damage, whole))
    assert read(source, tmp_path / "cache").fingerprint == fingerprint
    assert len(reads) == 2 and ("not usable" in caplog.text) == (damage != "missing")
    read(source, tmp_path / "cache")
    assert len(reads) == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fingerprint": 5}', '{"fingerprint": "../../x"}', "\x00"])
def test_damaged_pointer_is_read_again(text: str, source: Path, reads: list[Path], tmp_path: Path) -> None:
    read(source, tmp_path / "cache")
    (pointer,) = (tmp_path / "cache/sources").iterdir()
    assert list(json.loads(pointer.read_text())) == ["fingerprint"]
    pointer.write_text(text)
    read(source, tmp_path / "cache")
    read(source, tmp_path / "cache")
    assert len(reads) == 2


def in_child(function) -> int:
    child = fork.Process(target=function)
    child.start()
    child.join(60)
    return child.exitcode


def test_several_runs_fill_the_cache_at_once(source: Path, tmp_path: Path) -> None:
    cache, barrier = tmp_path / "cache", fork.Barrier(4)

    def run() -> None:
        torch.set_num_threads(1)
        barrier.wait()
        for _ in range(3):
            data = read(source, cache)
            assert len(data.train) == 500
        assert data.train.images.untyped_storage().data_ptr() == data.val.images.untyped_storage().data_ptr()

    children = [fork.Process(target=run) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    names = sorted(file.suffix for file in cache.rglob("*") if file.is_file())
    assert names == [".json", ".safetensors"]


@pytest.mark.parametrize("moment", ["before the content is renamed", "before the pointer is renamed"])
def test_killed_while_writing(moment: str, source: Path, reads: list[Path], tmp_path: Path) -> None:
    def run() -> None:
        left = 1 if "content" in moment else 2

        def replace(*names) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(*names)

        rename, os.replace = os.replace, replace
        read(source, tmp_path / "cache")

    assert in_child(run) == -signal.SIGKILL
    (temporary,) = (tmp_path / "cache").rglob("*.tmp")
    read(source, tmp_path / "cache")
    assert reads == [source] and temporary.exists()
    os.utime(temporary, (0, time.time() - 2 * 3600))
    os.utime(source / "train.bin", ns=(1, 1))
    read(source, tmp_path / "cache")
    assert not temporary.exists()


def test_full_disk_keeps_the_images_in_memory(source: Path, tmp_path: Path) -> None:
    def run() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        assert len(read(source, tmp_path / "cache").val) == 100

    assert in_child(run) == 0
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


def test_errors_while_writing_are_told_in_one_line(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    assert len(read(source, tmp_path / "cache").train) == 500
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "No space left on device" in record.message and "\n" not in record.message
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_unwritable_cache_folder_keeps_the_images_in_memory(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(read(source, tmp_path / "file/cache").train) == 500


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/cifar100"
    read_cifar100(str(source), val_size=0)
    assert (tmp_path / "xdg/cifar100/content").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(files.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(files.sys, "platform", "linux")
    assert cache_folder() == tmp_path / ".cache/cifar100"
