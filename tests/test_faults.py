"""Commands that are cut off at a write, by SIGKILL or a full disk, and typed again. Those of train are in test_app."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]
TINY = ("data=digits", "data.val_size=1000", "model.depths=[1,1,1]", "model.widths=[8,8,8]")
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
FUTURE_S = 4_000_000_000  # in the year 2096


def whole(folder: Path) -> dict[str, bytes]:
    """Every file that a reader would look at: not locks, logs and what writers have under way."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".tmp", ".lock", ".log")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.name != ".lock"}


@pytest.fixture
def cut_off(typed, monkeypatch) -> Callable[[str, str, tuple[str, ...]], object]:
    """Called as (fault, ending, command): types the command, which meets the fault in the middle of its first write of
    a file that ends so. Returns how it ended: nothing where it was killed."""

    def type_and_fail(fault: str, ending: str, command: tuple[str, ...]):
        replace, met = os.replace, []

        def half(temporary, path):
            if not str(path).endswith(ending):
                return replace(temporary, path)
            met.append(path)
            os.truncate(temporary, os.path.getsize(temporary) // 2)
            if fault == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise NO_SPACE

        with monkeypatch.context() as patch:
            patch.setattr("os.replace", half)
            if fault == "killed":
                process = get_context("fork").Process(target=typed, args=command)
                process.start()
                process.join(120)
                assert process.exitcode == -signal.SIGKILL, f"{ending} is written"
                return None
            ended = typed(*command)
            assert met, f"{ending} is written"
            return ended

    return type_and_fail


def check_cut_off(cut_off, command, folder: Path, before: dict, after: dict, fault: str, ending: str) -> None:
    """Every file is what stood there before or what the command makes: never a part, and none of it elsewhere."""
    ended = cut_off(fault, ending, command)
    now = whole(folder)
    for name in before | after | now:
        assert now.get(name) in (before.get(name), after.get(name)), name
    if ended is not None:
        assert ended.status == 1 and ended.err.count("\n") == 1, ended.err
        assert "No space left on device; make room" in ended.err and "Traceback" not in ended.err + ended.out
        assert not list(folder.rglob("*.tmp"))


REPORT = ("report", "study=multirun/default", "formats=[html,md,pptx]")
EVALUATED = ("metrics.json", "predictions.safetensors", "per_class.csv", "confusion.csv", "confusion.png")


def thorough(*endings: str) -> list:
    """Everyday one fault at two kinds of file, and the other at two others; slowly both at all."""
    quick = [("killed", endings[:2]), ("full disk", endings[2:4])]
    return [*quick, *(pytest.param(fault, endings, marks=pytest.mark.slow) for fault in ("killed", "full disk"))]


@pytest.mark.parametrize(("fault", "endings"), thorough(".png", ".html", ".csv", ".pptx", ".svg", ".tex", ".md"))
def test_report_cut_off_at_every_kind_of_file(fault, endings, cut_off, typed, reported):
    report, (before, after) = Path("multirun/default/report"), reported
    for ending in endings:
        shutil.rmtree(report, ignore_errors=True)
        shutil.copytree("before", report)
        check_cut_off(cut_off, (*REPORT, "title=after"), report, before, after, fault, ending)
    assert typed(*REPORT, "title=after").status == 0
    assert whole(report) == after and not list(report.rglob("*.tmp"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(typed, kept) -> RunDirectory:
    """A run of one epoch, evaluated; made once."""
    if not (kept / "multirun").exists():
        assert typed("train", *TINY, "trainer.num_train_epochs=1").status == 0
        assert typed("evaluate", "run_dir=multirun/default", "latency=false").status == 0
        shutil.copytree("multirun", kept / "multirun")
    shutil.copytree(kept / "multirun", "multirun", dirs_exist_ok=True)
    (status,) = Path("multirun/default").glob("*/status.json")
    return RunDirectory(status.parent)


@pytest.fixture
def reported(typed, kept, trained) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a report entitled "before", which stands in before/, and of one entitled "after"; made once."""
    for title in ("before", "after"):
        if not (kept / title).exists():
            assert typed(*REPORT, f"title={title}").status == 0
            shutil.move("multirun/default/report", kept / title)
        shutil.copytree(kept / title, title)
    before, after = whole(Path("before")), whole(Path("after"))
    assert {Path(name).suffix for name in after} == {".png", ".svg", ".csv", ".tex", ".html", ".md", ".pptx"}
    return before, after


@pytest.mark.parametrize(("fault", "endings"), thorough(*EVALUATED))
def test_evaluate_cut_off_at_every_file(fault, endings, cut_off, typed, trained):
    folder = trained.path / "evaluation"
    command = ("evaluate", f"run_dir={trained.path}", "latency=false")
    after = whole(folder)
    for ending in endings:
        shutil.rmtree(folder)
        check_cut_off(cut_off, command, folder, {}, after, fault, ending)
    assert typed(*command).status == 0
    assert whole(folder) == after and not list(folder.rglob("*.tmp"))


def test_a_clock_that_goes_back(typed, tmp_path, image_cache, monkeypatch):
    """Everything on the disk, the data cache too, is from the future when the run is continued."""
    arguments = ("train", *TINY, "trainer.num_train_epochs=3")
    assert typed(*arguments, "root=whole").status == 0
    save = RunDirectory.save_checkpoint

    def stopped(self, name, tensors, state):
        save(self, name, tensors, state)
        if name == "last" and state["progress"]["epoch"] == 2:
            raise NO_SPACE

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "save_checkpoint", stopped)
        assert typed(*arguments).status == 1
    (path,), (other,) = (list(Path(root, "default").iterdir()) for root in ("multirun", "whole"))
    run = RunDirectory(path)
    future = {"created": "2096-10-02T07:06:40+00:00", "updated": "2096-10-02T07:06:40+00:00"}
    (path / "status.json").write_text(json.dumps(run.status() | future))
    for file in [*path.rglob("*"), *image_cache.rglob("*")]:
        os.utime(file, (FUTURE_S, FUTURE_S))
    ended = typed(*arguments)
    assert ended.status == 0 and "continuing after epoch 2" in ended.out
    assert run.state() == "finished" and len(run.metrics()) == 3
    ours, theirs = (RunDirectory(each).load_checkpoint("last")[0] for each in (path, other))
    assert {name: value.numpy().tobytes() for name, value in ours.items()} == {
        name: value.numpy().tobytes() for name, value in theirs.items()
    }
    assert all(row["epoch_s"] >= 0 for row in run.metrics())


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_read_only_study(command, typed, trained, monkeypatch):
    before = whole(trained.path.parent)

    def read_only(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr("os.fsync", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    asked = f"run_dir={trained.path}" if command == "evaluate" else f"study={trained.path.parent}"
    ended = typed(command, asked)
    assert ended.status == 1 and ended.err.count("\n") == 1
    assert "Read-only file system; choose a place where you may write" in ended.err
    assert whole(trained.path.parent) == before


@pytest.mark.slow
def test_a_short_soak(tmp_path):
    """benchmarks/soak.py, which takes an hour by default."""
    command = [sys.executable, str(CHECKOUT / "benchmarks" / "soak.py"), "--epochs", "10", "--seeds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["differing"] == []
