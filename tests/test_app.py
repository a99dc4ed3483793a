"""The train command as typed: what bad input gets, what typing it again does, sweeps, and runs after one another."""

import errno
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]
# 437 images: an epoch of five steps.
TINY = (
    "data=digits",
    "data.val_size=1000",
    "model.depths=[1,1,1]",
    "model.widths=[8,8,8]",
    "trainer.per_device_train_batch_size=96",
)
TIMES = ("epoch_s", "images_per_s")


@pytest.fixture
def train(typed) -> Callable:
    """Called as (*overrides): trains a tiny network on the digits for an epoch, as typed."""
    return lambda *overrides: typed("train", *TINY, "trainer.num_train_epochs=1", *overrides)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("kept") / "multirun"


@pytest.fixture
def finished(train, kept) -> RunDirectory:
    """A finished run of one epoch in multirun/default, trained once for all tests that begin with one."""
    if kept.exists():
        shutil.copytree(kept, "multirun")
    else:
        ended = train()
        assert ended.status == 0 and "epoch 1/1" in ended.out
        shutil.copytree("multirun", kept)
    return only_run()


@pytest.fixture
def sweep(typed) -> Callable:
    return lambda *overrides: typed("train", "-m", *TINY, "trainer.num_train_epochs=1", *overrides)


def runs(folder: Path = Path("multirun/default")) -> list[RunDirectory]:
    return [RunDirectory(path.parent) for path in sorted(folder.glob("*/status.json"))]


def only_run() -> RunDirectory:
    (run,) = runs()
    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def contents(record: RunDirectory) -> dict:
    """Everything that a run computed: bit patterns of tensors, and metrics without times."""
    tensors, state = record.load_checkpoint("last")
    best, _ = record.load_checkpoint("best")
    found = {f"last {name}": tensor.numpy().tobytes() for name, tensor in tensors.items()}
    found |= {f"best {name}": tensor.numpy().tobytes() for name, tensor in best.items()}
    rows = [{name: value for name, value in row.items() if name not in TIMES} for row in record.metrics()]
    return found | {"rows": rows, "optimizer": state["optimizer"], "scheduler": state["scheduler"]}


def one_line(ended) -> str:
    """What a refused command says: one line on the error stream, no traceback."""
    assert ended.err.count("\n") == 1 and ended.err.endswith("\n"), ended.err
    assert "Traceback" not in ended.err + ended.out and "Error executing job" not in ended.err + ended.out
    return ended.err


# (what is typed, what the line says); nothing was read or made
REFUSED_AT_ONCE = [
    ("block=basc", "block=basc is unknown; did you mean basic?"),
    ("blok=basic", "there is no option blok; did you mean block?"),
    pytest.param("attention=sse", "did you mean se?", marks=pytest.mark.slow),
    ("trainer=null", "trainer=null is unknown; choose one of default, fast"),
    ("optimizer.lrr=0.1", "there is no option optimizer.lrr; did you mean lr?"),
    ("trainer.num_train_epoch=3", "there is no option trainer.num_train_epoch; did you mean num_train_epochs?"),
    ("+trainer.learning_rate=3", "here it is called optimizer.lr"),
    pytest.param("++trainer.learning_rate=3", "here it is called optimizer.lr", marks=pytest.mark.slow),
    ("+trainer.logging_nan_inf_filter=true", "trainer.logging_nan_inf_filter=True would have no effect"),
    pytest.param("+trainer.num_train_epochs=3", "already at 'trainer.num_train_epochs'", marks=pytest.mark.slow),
    ("model.depth=[1,1,1]", "there is no option model.depth; did you mean depths?"),
    ("downsample=avgpool", "downsample=avgpool has no effect"),
    ("downsample.kernel_size=3", "downsample.kernel_size"),
    ("trainer.num_train_epochs=-3", "trainer.num_train_epochs=-3 must be at least 0"),
    pytest.param(
        "trainer.num_train_epochs=0.5", "trainer.num_train_epochs=0.5 must be a whole number", marks=pytest.mark.slow
    ),
    ("trainer.num_train_epochs=many", "trainer.num_train_epochs=many must be a number"),
    pytest.param(
        "trainer.per_device_train_batch_size=0",
        "trainer.per_device_train_batch_size=0 must be at least 1",
        marks=pytest.mark.slow,
    ),
    pytest.param("trainer.bf16=yes", "trainer.bf16=yes must be true or false", marks=pytest.mark.slow),
    ("~trainer.bf16", "there is no option trainer.bf16"),
    ("tracker.name=no_such_tracker", "tracker.name=no_such_tracker is none of accelerate's; choose one of aim, "),
    ("seed=first", "seed=first must be a whole number"),
    pytest.param("seed=1.5", "seed=1.5 must be a whole number", marks=pytest.mark.slow),
    pytest.param("seed=-1", "seed=-1 must be a whole number", marks=pytest.mark.slow),
    ("own_recipe=[optimiser]", "own_recipe has 'optimiser', which is no part of the recipe"),
    pytest.param("own_recipe=data", "own_recipe has 'data'", marks=pytest.mark.slow),
    ("force=maybe", "force=maybe must be true or false"),
    ("model=resnet20,resnet32", "add --multirun"),
    ("=3", "Config group override"),
    ("model.depths=[1,1", "no viable alternative"),
    pytest.param("nonsense=1", "there is no option nonsense", marks=pytest.mark.slow),
    pytest.param("trainer._target_=os.system", "os.system", marks=pytest.mark.slow),
]
# and these once the run has begun: its record says so
REFUSED_WHEN_BUILT = [
    ("model.depths=3", "model.depths=3 must be a list"),
    pytest.param("model.depths=[]", "model.depths=[] must be a list", marks=pytest.mark.slow),
    ("model.widths=[8,8]", "give both lists the same length"),
    pytest.param("model.drop_path=2", "model.drop_path=2", marks=pytest.mark.slow),
    ("data.val_size=5000", "data.val_size=5000"),
    pytest.param("data.val_size=-1", "data.val_size=-1", marks=pytest.mark.slow),
    pytest.param("data.num_classes=11", "data.num_classes=11", marks=pytest.mark.slow),
    pytest.param("optimizer.lr=-1", "lr=-1 must be", marks=pytest.mark.slow),
    ("optimizer.lr=fast", "lr='fast' must be"),
    pytest.param("scheduler.warmup_epochs=-1", "warmup_epochs=-1", marks=pytest.mark.slow),
    pytest.param("augment.mixup_alpha=-1", "augment.mixup_alpha=-1", marks=pytest.mark.slow),
    pytest.param("ema_decay=2", "ema_decay=2 must lie between 0 and 1", marks=pytest.mark.slow),
    ("ema_decay=slow", "ema_decay=slow must lie between 0 and 1"),
    ("loss.label_smoothing=7", "loss.label_smoothing=7 must lie in [0, 1)"),
]


@pytest.mark.parametrize(("argument", "told"), REFUSED_AT_ONCE)
def test_bad_input_gets_a_line_and_leaves_nothing(argument, told, train, tmp_path):
    ended = train(argument)
    assert ended.status == 2 and told in one_line(ended)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("argument", "told"), REFUSED_WHEN_BUILT)
def test_what_cannot_be_built_gets_a_line_and_a_record_of_it(argument, told, train, tmp_path):
    ended = train(argument)
    assert ended.status == 2 and told in one_line(ended)
    status = only_run().status()
    assert status["state"] == "failed" and told in status["error"]
    assert not list(tmp_path.rglob("*.tmp")) and not list(tmp_path.rglob("checkpoints"))


def test_what_the_network_has_no_use_for_gets_a_line(train):
    ended = train("stage=separate", "block.shortcut=avgpool")
    assert ended.status == 2 and "block.shortcut=avgpool has no effect: " in one_line(ended)
    assert only_run().state() == "failed"


def test_missing_data_path(typed, tmp_path):
    ended = typed("train", "model.depths=[1,1,1]", "model.widths=[8,8,8]", "data.path=elsewhere")
    assert ended.status == 2 and "data.path=elsewhere does not exist" in one_line(ended)
    assert only_run().state() == "failed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "run_dir is missing"),
        (["run_dir=nowhere"], "nowhere"),
        (["run_dir=multirun/default", "checkpoint=bst"], "checkpoint=bst is unknown; did you mean best?"),
        (["run_dir=multirun/default", "split=tset"], "split=tset is unknown; did you mean test?"),
        (["run_dir=multirun/default", "batch_size=0"], "batch_size=0 must be"),
        (["run_dir=multirun/default", "run_dirs=1"], "there is no option run_dirs; did you mean run_dir?"),
    ],
)
def test_bad_input_of_evaluate(arguments, told, typed, tmp_path):
    RunDirectory("multirun/default/run").write_status("finished")
    ended = typed("evaluate", *arguments)
    assert ended.status == 2 and told in one_line(ended)
    assert tree(tmp_path).keys() == {"multirun/default/run/status.json"}


def test_a_place_that_cannot_be_written(train, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    ended = train("root=file/runs")
    assert ended.status == 1 and "Not a directory; choose a place where you may write" in one_line(ended)

    def read_only(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr("os.mkdir", read_only)
    ended = train()
    assert ended.status == 1 and "Read-only file system; choose a place where you may write" in one_line(ended)
    assert tree(tmp_path) == {"file": b"not a folder"}


def test_a_disk_that_is_full_at_some_write(finished, train, monkeypatch):
    """At the first, third, ... file that an attempt writes, until one attempt writes fewer and goes through."""
    whole = contents(finished)
    shutil.rmtree("multirun")
    sync, left = os.fsync, 0

    def full(descriptor):
        nonlocal left
        left -= stat.S_ISREG(os.fstat(descriptor).st_mode)
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    for number in range(1, 30, 2):
        left = number
        ended = train()
        if ended.status == 0:
            break
        assert ended.status == 1 and "No space left on device; make room" in one_line(ended)
        assert not list(Path("multirun").rglob("*.tmp"))
    assert number > 3 and contents(only_run()) == whole and only_run().state() == "finished"


class TestTypedAgain:
    def test_a_finished_run_is_reported(self, finished, train):
        run = finished
        before = tree(run.path)
        again = train()
        assert again.status == 0 and "is finished; force=true trains it again" in again.out
        assert "epoch 1/1" not in again.out and "last epoch 1: " in again.out
        after = tree(run.path)
        assert before.pop("train.log") in after.pop("train.log") and before == after

    def test_however_it_is_typed(self, finished, train):
        for variant in ("trainer.num_train_epochs=1.0", "trainer.dataloader_num_workers=2", "study=default"):
            assert "is finished" in train(variant).out and len(runs()) == 1

    def test_force_trains_it_again(self, finished, train):
        run = finished
        created, before = run.status()["created"], contents(run)
        (run.path / "evaluation").mkdir()
        (run.path / "evaluation" / "metrics.json").write_text("{}")
        (run.path / "notes.txt").write_text("mine")
        time.sleep(1.1 - time.time() % 1)  # times are in whole seconds
        again = train("force=true")
        assert again.status == 0 and "epoch 1/1" in again.out
        assert run.status()["created"] > created and contents(run) == before
        assert not (run.path / "evaluation").exists() and (run.path / "notes.txt").read_text() == "mine"

    def test_a_damaged_checkpoint_is_refused_and_force_cures(self, finished, train):
        run = finished
        path = run.checkpoint_path("last")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        run.write_status("interrupted")
        ended = train()
        assert ended.status == 2 and "force=true" in one_line(ended) and path.name in ended.err
        assert path.read_bytes() == content, "evidence is kept"
        assert train("force=true").status == 0

    def test_a_run_that_another_process_trains_is_refused(self, train, typing):
        first = typing("train", *TINY, "trainer.num_train_epochs=500")
        wait_for(lambda: runs() and RunDirectory(runs()[0].path).metrics())
        ended = train("trainer.num_train_epochs=500")
        assert ended.status == 2
        assert re.search(rf"process {first.pid} on \S+ works on this run", one_line(ended))
        rows = len(only_run().metrics())
        assert only_run().state() == "running"
        wait_for(lambda: len(only_run().metrics()) > rows)
        os.kill(first.pid, signal.SIGINT)
        first.join(300)
        assert first.exitcode == 130 and only_run().state() == "interrupted"


def wait_for(condition: Callable, timeout_s: float = 300) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def typing(typed) -> Iterator[Callable]:
    """Called as (command, *arguments): a process of its own that the command is typed in, still going on."""
    started = []

    def start(*arguments: str):
        process = get_context("fork").Process(target=type_and_exit, args=(arguments,))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def type_and_exit(arguments: tuple[str, ...]) -> None:
    from cifar100.__main__ import main

    status = 1
    try:
        main(list(arguments))
        status = 0
    except SystemExit as end:
        status = end.code
    finally:
        os._exit(status)  # nothing of the test session's own ending


def test_killed_at_random_moments(train, typing, random_moments):
    """By SIGKILL, each time continued by the same command."""
    arguments = ["trainer.num_train_epochs=8", "ema_decay=0.9", "model.drop_path=0.3", "augment.mixup_alpha=0.2"]
    start = time.monotonic()
    train("root=whole", *arguments)
    lasted = time.monotonic() - start
    for moment in random_moments(2):
        process = typing("train", *TINY, *arguments)
        time.sleep(moment * lasted)
        process.kill()
        process.join()
    ended = train(*arguments)
    assert ended.status == 0
    (whole,) = runs(Path("whole/default"))
    assert contents(only_run()) == contents(whole)
    assert only_run().status()["state"] == "finished" and len(only_run().metrics()) == 8


@pytest.mark.slow
def test_killed_five_times_on_the_command_line(train, random_moments, tmp_path):
    """By SIGKILL, wherever python train.py happens to be: while it imports, reads, trains or writes."""
    arguments = [*TINY, "trainer.num_train_epochs=40", "ema_decay=0.9", "model.drop_path=0.3"]
    command = [sys.executable, str(CHECKOUT / "train.py"), *arguments]
    assert train(*arguments, "root=whole").status == 0
    start = time.monotonic()
    subprocess.run([*command, "root=timed"], check=True, capture_output=True)
    lasted = time.monotonic() - start
    for moment in random_moments(5):
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(command, timeout=moment * lasted / 2, capture_output=True)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    (whole,), (timed,) = (runs(Path(root, "default")) for root in ("whole", "timed"))
    assert contents(only_run()) == contents(whole) == contents(timed)


def test_a_signal_ends_it_in_order_and_the_same_command_continues(train, typing, capfd):
    arguments = ["trainer.num_train_epochs=15"]
    process = typing("train", *TINY, *arguments)
    wait_for(lambda: runs() and only_run().metrics())
    capfd.readouterr()
    os.kill(process.pid, signal.SIGTERM)  # for SIGINT see TestTypedAgain
    process.join(300)
    assert process.exitcode == 143
    assert capfd.readouterr().err == "interrupted by SIGTERM; the same command continues\n"
    assert only_run().status()["state"] == "interrupted" and "error" not in only_run().status()
    assert "continuing after epoch" in train(*arguments).out
    train("root=whole", *arguments)
    (whole,) = runs(Path("whole/default"))
    assert contents(only_run()) == contents(whole)


@pytest.fixture
def random_moments(record_property) -> Callable[[int], list[float]]:
    """Called as (count): that many fractions of a run's duration; other ones each time, told where a test fails."""
    import random

    def draw(count: int) -> list[float]:
        moments = [random.random() for _ in range(count)]
        print("killed at", moments)
        record_property("killed_at", moments)
        return moments

    return draw


class TestSweep:
    def test_killed_and_typed_again_trains_no_finished_run_twice(self, sweep, typing):
        arguments = ["attention=eca,none", "seed=0,1"]
        process = typing("train", "-m", *TINY, "trainer.num_train_epochs=1", *arguments)
        wait_for(lambda: sum(run.state() == "finished" for run in runs()) >= 2)
        process.kill()
        process.join()
        finished = [run for run in runs() if run.state() == "finished"]
        before = {run.path: tree(run.path / "checkpoints") | {"times": run.status()} for run in finished}
        stamps = {path: path.stat().st_mtime_ns for run in finished for path in run.path.rglob("*.safetensors")}
        assert 2 <= len(finished) < 4
        ended = sweep(*arguments)
        assert ended.status == 0 and ended.err == ""
        assert ended.out.count("is finished; force=true") == len(finished)
        assert [run.state() for run in runs()] == ["finished"] * 4
        assert before == {run.path: tree(run.path / "checkpoints") | {"times": run.status()} for run in finished}
        assert stamps == {path: path.stat().st_mtime_ns for path in stamps}

    def test_poisoned_jobs_stop_no_others(self, sweep, monkeypatch):
        """One diverges, one cannot be built, one meets a bug of the program."""
        from cifar100 import app

        build_model = app.build_model

        def with_a_bug(config):
            if config.optimizer.lr == 0.2:
                raise ZeroDivisionError("a bug")
            return build_model(config)

        monkeypatch.setattr(app, "build_model", with_a_bug)
        ended = sweep("optimizer.lr=0.2,1e30,-1,0.1")
        assert ended.status == 1
        first, bug, diverged, mistaken = ended.err.splitlines()
        assert first == "3 jobs of the sweep failed; typed again, only what is not finished is tried again:"
        assert "optimizer.lr=0.2: ZeroDivisionError: a bug" in bug
        assert re.search(r"lr=1e\+30: the loss became \w+ in epoch 1, step \d, at learning rate \S+e\+\d\d;", diverged)
        assert mistaken.endswith("optimizer.lr=-1: lr=-1 must be a finite number > 0; use for instance lr=0.1")
        assert ended.out.count("Traceback") == 1, "of the bug"
        by_rate = {run.config()["optimizer"]["lr"]: run for run in runs()}
        assert by_rate.pop(0.1).state() == "finished"
        for run in by_rate.values():
            assert run.state() == "failed" and run.status()["error"]
            assert "failed: " in (run.path / "train.log").read_text(), "in its own folder"

    def test_a_single_mistake_has_its_own_status(self, sweep):
        ended = sweep("trainer.gradient_accumulation_steps=0,1")
        assert ended.status == 2
        assert ended.err.splitlines()[-1].endswith("trainer.gradient_accumulation_steps=0 must be at least 1")
        by_state = {run.state(): run for run in runs()}
        assert sorted(by_state) == ["failed", "finished"]
        failed = by_state["failed"]
        assert failed.status()["error"].endswith("gradient_accumulation_steps=0 must be at least 1")
        assert failed.config()["trainer"]["gradient_accumulation_steps"] == 0

    def test_runs_of_one_process_leak_nothing_to_each_other(self, sweep, train):
        """Neither precision nor random numbers."""
        for value in ("true", "false"):
            assert train(f"trainer.bf16={value}", "root=single", "model.drop_path=0.2").status == 0
        assert sweep("trainer.bf16=true,false", "root=swept", "model.drop_path=0.2").status == 0
        for single, swept in zip(*(runs(Path(each, "default")) for each in ("single", "swept")), strict=True):
            assert single.path.name == swept.path.name and contents(single) == contents(swept)
        one, other = (contents(run) for run in runs(Path("single/default")))
        assert one["rows"] != other["rows"]

    @pytest.mark.slow
    def test_compiled_runs_leak_nothing_either(self, sweep, train):
        for value in ("true", "false"):
            assert train(f"trainer.torch_compile={value}", "root=single").status == 0
        assert sweep("trainer.torch_compile=true,false", "root=swept").status == 0
        for single, swept in zip(*(runs(Path(each, "default")) for each in ("single", "swept")), strict=True):
            assert contents(single) == contents(swept)


class TestDiverged:
    def test_is_a_line_and_a_status(self, train):
        arguments = [
            "trainer.num_train_epochs=3",
            "optimizer.lr=1e30",
            "scheduler=constant",
            "scheduler.warmup_epochs=3",
        ]
        ended = train(*arguments)
        line = one_line(ended)
        epoch, step, rate = re.search(r"in epoch (\d), step (\d+), at learning rate (\S+);", line).groups()
        assert ended.status == 1 and "nan" in line and float(rate) > 1e20 and int(step) >= 1
        status = only_run().status()
        assert status["state"] == "failed" and status["error"].startswith("Diverged: the loss became nan")
        assert not only_run().summary()

    def test_keeps_what_was_trained(self, train, monkeypatch):
        from cifar100.training.loop import Loop

        take_step = Loop.take_step

        def poisoned(self, micro_batches, totals, *, epoch, step):
            if epoch == 2 and step == 3:
                micro_batches = [batch._replace(images=batch.images * float("inf")) for batch in micro_batches]
            take_step(self, micro_batches, totals, epoch=epoch, step=step)

        monkeypatch.setattr(Loop, "take_step", poisoned)
        ended = train("trainer.num_train_epochs=3")
        assert ended.status == 1 and "epoch 2, step 3, at learning rate 0.0" in one_line(ended)
        _, state = only_run().load_checkpoint("last")
        assert state["progress"]["epoch"] == 1 and len(only_run().metrics()) == 1
        monkeypatch.setattr(Loop, "take_step", take_step)
        assert train("trainer.num_train_epochs=3").status == 0, "the same command goes on"
        assert "error" not in only_run().status()


def test_zero_epochs_print_the_network_and_leave_nothing(typed, tmp_path):
    ended = typed("train", *TINY, "trainer.num_train_epochs=0")
    assert ended.status == 0 and ended.err == "" and "3,890" in ended.out
    assert list(tmp_path.iterdir()) == []
    ended = typed("train", "-m", *TINY, "trainer.num_train_epochs=0", "attention=se,none")
    assert ended.status == 0 and list(tmp_path.iterdir()) == []


def test_the_record_describes_the_run_without_this_machines_paths(train, tmp_path, image_cache):
    train(f"data.cache_dir={image_cache}/elsewhere")
    run = only_run()
    config = run.config()
    assert config["choices"]["model"] == "resnet20" and config["choices"]["data"] == "digits"
    assert config["trainer"]["num_train_epochs"] == 1 and "path" not in config["data"]
    assert {"data=digits", "trainer.num_train_epochs=1"} <= set(config["overrides"])
    assert not any(each.startswith(("data.path", "data.cache_dir", "root")) for each in config["overrides"])
    text = b"".join(content for name, content in tree(run.path).items() if not name.endswith(".safetensors"))
    assert str(image_cache).encode() not in text and str(tmp_path).encode() not in text and b"${" not in text
    summary, environment = run.summary(), run.environment()
    assert summary["parameters"] == environment["parameters"] == 3890
    assert summary["last"] == run.metrics()[-1] == json.loads((run.path / "metrics.jsonl").read_text())
    assert environment["data"]["name"] == "digits" and len(environment["data"]["fingerprint"]) == 64
    shutil.move(run.path, tmp_path / "moved")
    assert RunDirectory(tmp_path / "moved").state() == "finished"
