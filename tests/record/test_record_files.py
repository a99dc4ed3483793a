import errno
import os
import random
import re
import time
import tracemalloc

import pytest

from cifar100.base import files as module
from cifar100.base.files import atomic_write, read_file, remove_temporaries
from cifar100.record import RecordError, RunDirectory

WRITER = """
import sys
from cifar100.record import RunDirectory
run, kind = RunDirectory(sys.argv[1]), sys.argv[2]
if kind == "checkpoint":
    import torch
    tensors = {f"t{i}": torch.zeros(40_000) for i in range(4)}
write = {
    "checkpoint": lambda i: run.save_checkpoint("last", {k: t.fill_(i) for k, t in tensors.items()}, {"i": i}),
    "metrics": lambda i: run.write_metrics([{"epoch": e, "i": i} for e in range(2000)]),
    "status": lambda i: run.write_status("running", i=i, filler="x" * 50_000),
    "summary": lambda i: run.write_summary({"first": i, "filler": "x" * 100_000, "end": i}),
    "config": lambda i: run.write_config({"first": i, "filler": ["x"] * 500, "end": i}),
    "evaluation": lambda i: run.write_csv("t.csv", ("i", "j"), [(i, i)] * 5000),
}[kind]
with run.lock():
    write(0)
    print("ready", flush=True)
    for i in range(1, 1_000_000):
        write(i)
"""


def _version(run: RunDirectory, kind: str) -> int:
    """The number that the writer wrote; fails where the file mixes two writes or is cut."""
    if kind == "checkpoint":
        tensors, state = run.load_checkpoint("last")
        seen = {state["i"], *(value for tensor in tensors.values() for value in tensor.unique().tolist())}
    elif kind == "metrics":
        seen = {row["i"] for row in run.metrics()}
        assert len(run.metrics()) == 2000
    elif kind == "status":
        seen = {run.status()["i"]}
    elif kind == "evaluation":
        rows = run.read_csv("t.csv")
        seen = {int(cell) for row in rows for cell in row.values()}
        assert len(rows) == 5000
    else:
        content = run.summary() if kind == "summary" else run.config()
        seen = {content["first"], content["end"]}
    assert len(seen) == 1, f"{kind} mixes {seen}"
    return int(seen.pop())


def _kill_and_check(run: RunDirectory, kind: str, other_process, rng: random.Random) -> None:
    process = other_process(WRITER, str(run.path), kind)
    for _ in range(5):
        time.sleep(rng.uniform(0, 0.03))
        _version(run, kind)  # read while it is written
    process.kill()
    process.wait()
    _version(run, kind)
    with run.lock():
        assert not list(run.path.rglob("*.tmp"))


@pytest.mark.parametrize("kind", ["checkpoint", "metrics", "status", "summary", "config", "evaluation"])
def test_sigkill_never_leaves_a_half_file(run, kind, other_process):
    _kill_and_check(run, kind, other_process, random.Random(kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "metrics", "status", "summary", "config", "evaluation"])
def test_sigkill_never_leaves_a_half_file_often(run, kind, other_process):
    rng = random.Random(1)
    for _ in range(10):
        _kill_and_check(run, kind, other_process, rng)


CHECK_LIMIT = """
import errno, resource, signal, sys, torch
from cifar100.record import RunDirectory
run = RunDirectory(sys.argv[1])
before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (
    lambda: run.save_checkpoint("last", {"w": torch.ones(5000)}, {}),
    lambda: run.write_metrics([{"epoch": e, "loss": 2.0} for e in range(500)]),
    lambda: run.write_summary({"x": "y" * 5000}),
    lambda: run.write_status("finished", x="y" * 5000),
    lambda: run.write_config({"x": "y" * 5000}),
    lambda: run.write_text("t.txt", "y" * 5000),
):
    try:
        write()
    except OSError as error:
        assert error.errno == errno.EFBIG and str(run.path) in str(error), error
    else:
        raise AssertionError("written beyond the limit")
assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
print("ready")
"""


def test_a_kernel_limit_in_the_middle_of_each_write_leaves_the_old_files(run, other_process):
    import torch

    run.save_checkpoint("last", {"w": torch.zeros(3)}, {})
    run.write_metrics([{"epoch": 0}])
    run.write_summary({"x": 1})
    run.write_status("running")
    run.write_config({"x": 1})
    run.write_text("t.txt", "x")
    assert other_process(CHECK_LIMIT, str(run.path)).wait() == 0


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_full_disk_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch, call, code):
    path = tmp_path / "file"
    atomic_write(path, b"old")
    real_write = os.write

    def fail(*arguments):
        if call == "write" and len(arguments[1]) > 3:
            return real_write(arguments[0], arguments[1][:3])  # as the kernel does: part of it fits
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(module.os, call, fail)
        with pytest.raises(OSError, match=re.escape(str(path))) as caught:
            atomic_write(path, b"something new")
        assert caught.value.errno == code and "\n" not in str(caught.value)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_chunks_short_writes_and_empty_files(tmp_path, monkeypatch):
    real_write = os.write
    monkeypatch.setattr(module.os, "write", lambda descriptor, data: real_write(descriptor, data[:2]))
    atomic_write(tmp_path / "a" / "b", b"12345", memoryview(b"678"), b"")
    assert (tmp_path / "a" / "b").read_bytes() == b"12345678"
    atomic_write(tmp_path / "empty")
    assert (tmp_path / "empty").read_bytes() == b""


def test_the_file_mode_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        atomic_write(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_link_is_replaced_not_written_through(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious" and (tmp_path / "link").read_bytes() == b"new"


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(RecordError, match="is a folder where a file belongs"):
        atomic_write(tmp_path / "file", b"x")
    assert os.listdir(tmp_path) == ["file"]


def test_read_refuses_what_is_no_plain_file(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    for name in ("folder", "pipe", "link", "zero", "sparse"):
        with pytest.raises(RecordError, match=name) as caught:
            read_file(tmp_path / name, 1000)
        assert "\n" not in str(caught.value)
    assert read_file(tmp_path / "absent", 1000) is None
    assert read_file(tmp_path / "sparse" / "below", 1000) is None


def test_temporaries_of_the_dead_are_removed_and_of_the_living_kept(tmp_path):
    living, dead = os.getppid(), 2**22 + 1
    names = [f".a.json.{living}.0a.tmp", f".a.json.{dead}.0a.tmp", f".a.{os.getpid()}.0a.tmp", ".editor.tmp", "x.tmp"]
    for name in names:
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([names[0], ".editor.tmp", "x.tmp"])
    remove_temporaries(tmp_path / "absent")


def test_error_lines_have_one_line_and_no_control_characters(tmp_path):
    message = str(RecordError(tmp_path / "a\nb\x1b[31m", "x" * 10_000))
    assert message.isprintable() and len(message) <= 1000 and "a b\\x1b[31m" in message


def test_reading_reserves_what_the_file_has_not_what_it_may_have(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    tracemalloc.start()
    assert read_file(tmp_path / "small", 2**31) == b"abc"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
