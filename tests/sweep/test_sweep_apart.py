"""A job that cannot be begun, or whose process is killed, fails alone."""

import os
import signal
import time
from pathlib import Path

import pytest

from cifar100.sweep import plan


@pytest.mark.parametrize("kept", [256, 0], ids=["composed before", "composed again"])
def test_conf_broken_while_a_sweep_runs_fails_only_the_jobs_that_need_it(
    kept, typed, tiny, closing, tmp_path, monkeypatch
):
    """What was composed before the file was broken is trained as it was; what must be composed again fails alone."""
    from cifar100 import app

    (tmp_path / "conf" / "row").mkdir(parents=True)
    choices = [tmp_path / "conf" / "row" / f"mine{number}.yaml" for number in range(3)]
    for number, choice in enumerate(choices):
        choice.write_text(f"# @package _global_\nema_decay: 0.{number + 1}\n")
    build_model = app.build_model

    def edited(config):
        choices[1].write_text("# @package _global_\nno: yaml: at: all\n")
        return build_model(config)

    monkeypatch.setattr(plan, "MOST_COMPOSED", kept)
    monkeypatch.setattr(app, "build_model", edited)
    values = "row=mine0,mine1,mine2"
    ended = typed("train", "-m", *tiny, "--config-dir", str(tmp_path / "conf"), "seed=0", values)
    states = [row[1] for row in closing(ended.out)[:-1]]
    assert states == ["finished", "finished" if kept else "failed", "finished"] and "Traceback" not in ended.out
    assert ended.status == (0 if kept else 2)
    if not kept:
        assert f"mine1: {choices[1]}, line 2: no YAML" in ended.err and len(ended.err.splitlines()) == 2


def test_a_folder_that_cannot_be_made_or_named_fails_only_its_job(sweep, closing):
    """A name of more than 255 bytes, a file that stands in the place of a run, and a value that refers to nothing."""
    assert sweep("trainer.num_train_epochs=0").status == 0
    Path("multirun/taken").parent.mkdir()
    Path("multirun/taken").touch()
    ended = sweep(f"study=one,{'x' * 300},taken,two")
    assert [row[1] for row in closing(ended.out)[:-1]] == ["finished", "failed", "failed", "finished"]
    assert ended.status == 1 and "File name too long" in ended.err and "Not a directory" in ended.err
    ended = sweep("study=one", "optimizer.lr=0.1,${nope},0.2", "trainer.num_train_epochs=0")
    assert [row[1] for row in closing(ended.out)[:-1]][::2] == ["3,890", "3,890"] and ended.status == 2
    assert "nope" in ended.err.splitlines()[-1] and "Traceback" not in ended.out + ended.err
    assert not list(Path("multirun").glob("*/.sweep-*"))


def test_the_name_of_a_run_has_room_in_every_file_system(typed, tiny):
    ended = typed("train", *tiny, f"seed={'1' * 300}", "trainer.num_train_epochs=1")
    assert ended.status == 2 and ended.err.startswith("seed=1111"), "its own fault, not its folder's"


def work(number: int, overrides: list[str]) -> str:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.5)
    return f"{number} {os.environ['OMP_NUM_THREADS']}"


def test_a_process_killed_by_the_kernel_loses_its_own_job_only(monkeypatch):
    joblib = pytest.importorskip("joblib")
    from cifar100.sweep import workers

    monkeypatch.delenv("OMP_NUM_THREADS")
    lost = []
    pool = workers.Workers(2, 4, lambda *about: lost.append(about), lambda: None)
    results = pool(joblib.delayed(work)(number, [f"seed={number}"]) for number in range(4))
    assert [results[number] for number in (0, 2, 3)] == ["0 2", "2 2", "3 2"]
    assert results[1].return_value is None, "nothing that a search could take for a result"
    ((number, overrides, reason),) = lost
    assert (number, overrides) == (1, ["seed=1"]) and "was killed by SIGKILL" in reason
    os.kill(next(iter(workers._idle[-1]._processes)), signal.SIGKILL)
    time.sleep(0.2)
    assert pool([joblib.delayed(work)(5, [])]) == ["5 2"], "one that was killed while it was idle is replaced"
    workers.end_idle()
