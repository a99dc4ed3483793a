"""Sweeps whose runs are side by side, in processes that joblib starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs pip install 'cifar100-lab[joblib]'")
pytestmark = pytest.mark.slow

TRAIN = Path(__file__).parents[2] / "train.py"
SIDE_BY_SIDE = ("hydra/launcher=processes", "hydra.launcher.n_jobs=2")


@pytest.fixture
def command(tiny, image_cache, tmp_path) -> Iterator[Callable]:
    """Called as (*overrides): the sweep in a process and a process group of its own, its output in files."""
    started = []

    def start(*overrides: str) -> subprocess.Popen:
        arguments = [sys.executable, str(TRAIN), "-m", *tiny, *SIDE_BY_SIDE, *overrides]
        environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
        out, err = (tmp_path / "out").open("w"), (tmp_path / "err").open("w")
        process = subprocess.Popen(
            arguments, cwd=tmp_path, env=environment, stdout=out, stderr=err, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def recorded(folder: Path) -> dict[str, RunDirectory]:
    return {path.parent.name: RunDirectory(path.parent) for path in folder.glob("multirun/*/*/status.json")}


def wait_for(condition: Callable, timeout_s: float = 300) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_failures_in_other_processes_are_told_and_stop_no_others(sweep, runs, closing):
    overrides = (*SIDE_BY_SIDE, "optimizer.lr=0.1,1e30", "seed=0,1", "model.drop_path=0,3")
    ended = sweep(*overrides)
    assert ended.status == 1
    assert [row[3] for row in closing(ended.out)[:-1]] == ["finished", "failed"] * 2 + ["failed"] * 4
    assert len(ended.err.splitlines()) == 7 and "drop_path=3" in ended.err and "the loss became nan" in ended.err
    assert sorted(run.state() for run in runs().values()) == ["failed"] * 6 + ["finished"] * 2
    assert all(run.status()["pid"] != os.getpid() for run in runs().values())
    ended = sweep(*overrides)
    assert [row[3] for row in closing(ended.out)[:-1]] == ["skipped", "failed"] * 2 + ["failed"] * 4


def test_runs_are_those_of_one_after_another(sweep, runs):
    """Bit for bit where both have one thread, and so many they have: two jobs share two cores."""
    assert sweep("seed=0,1", "root=multirun/one").status == 0
    assert sweep(*SIDE_BY_SIDE, "seed=0,1", "root=multirun/two").status == 0
    for one in Path("multirun/one/default").iterdir():
        two = Path("multirun/two/default") / one.name
        assert (one / "config.yaml").read_bytes() == (two / "config.yaml").read_bytes()
        weights, others = (RunDirectory(each).load_checkpoint("last")[0] for each in (one, two))
        assert all(bool((weights[name] == others[name]).all()) for name in weights) and weights.keys() == others.keys()
        assert RunDirectory(two).environment()["hardware"]["threads"] == 1


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT to all", "SIGKILL"])
def test_is_continued_by_the_same_command(command, tmp_path, how):
    overrides = ("trainer.num_train_epochs=60", "seed=0,1,2")
    process = command(*overrides)
    wait_for(lambda: sum(len(run.metrics()) >= 2 for run in recorded(tmp_path).values()) == 2)
    send = os.killpg if how == "SIGINT to all" else os.kill
    send(process.pid, signal.Signals[how.split()[0]])
    process.wait(120)
    states = {"SIGTERM": 143, "SIGINT to all": 130, "SIGKILL": -9}
    assert process.returncode == states[how]
    wait_for(lambda: {run.state() for run in recorded(tmp_path).values()} == {"interrupted"}, 60)
    if how != "SIGKILL":
        assert (tmp_path / "err").read_text().startswith("interrupted by SIG")
        assert (tmp_path / "out").read_text().rstrip().endswith("3 jobs: 1 not begun, 2 interrupted")
    saved = {name: run.status()["state"] for name, run in recorded(tmp_path).items()}
    assert set(saved.values()) == {"interrupted"}, "in order, its state saved: nobody killed the workers"
    assert command(*overrides).wait(300) == 0
    out = (tmp_path / "out").read_text()
    assert out.count("continuing after epoch") == 2 and out.rstrip().endswith("3 jobs: 3 finished")
