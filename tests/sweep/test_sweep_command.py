"""Sweeps as typed: their last lines, what they leave behind, what a failed or interrupted job does to the others."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from cifar100.base.errors import Interrupted
from cifar100.record import RunDirectory


def left(folder: Path = Path("multirun/default")) -> list[str]:
    """What a sweep leaves in its study beside the runs."""
    return [path.name for path in folder.iterdir() if not (path / "status.json").exists()]


def test_the_last_lines_are_a_table_of_all_jobs(sweep, runs, closing):
    killed = Path("multirun/default/.sweep-0123abcd")
    killed.mkdir(parents=True)
    (killed / "7.json").write_text("{}")
    ended = sweep("seed=0,1")
    assert ended.status == 0
    first, second, total = closing(ended.out)
    by_seed = {run.config()["seed"]: run for run in runs().values()}
    for row, run in zip((first, second), (by_seed[0], by_seed[1]), strict=True):
        (epoch,) = run.metrics()
        top1 = f"{epoch['val/top1']:.2%}"
        assert row == [str(run.config()["seed"]), "finished", top1, top1, f"{epoch['epoch_s']:.1f}", run.name]
    assert total == ["2", "jobs:", "2", "finished"] and left() == [], "nor multirun.yaml, nor what jobs have told"


def test_a_failed_job_is_recorded_where_it_belongs_and_tried_again(sweep, runs, closing, monkeypatch):
    """Two cannot be built, two meet a bug, which is mended when the sweep is typed again."""
    from cifar100 import app

    build_model = app.build_model

    def with_a_bug(config):
        if config.seed == 1:
            raise ZeroDivisionError("a bug")
        return build_model(config)

    monkeypatch.setattr(app, "build_model", with_a_bug)
    arguments = ["seed=0,1", "model.drop_path=0,3"]
    ended = sweep(*arguments)
    assert ended.status == 1
    rows = {" ".join(row[:2]): row[2] for row in closing(ended.out)[:-1]}
    assert rows == {
        "seed=0 model.drop_path=0": "finished",
        "seed=0 model.drop_path=3": "failed",
        "seed=1 model.drop_path=0": "failed",
        "seed=1 model.drop_path=3": "failed",
    }
    assert "\n  seed=0 model.drop_path=3: model.drop_path=3" in ended.err
    errors = [run.status()["error"] for run in runs().values() if run.state() == "failed"]
    assert len(errors) == 3 and errors.count("ZeroDivisionError: a bug") == 2
    monkeypatch.setattr(app, "build_model", build_model)
    ended = sweep(*arguments)
    states = [row[2] for row in closing(ended.out)[:-1]]
    assert states == ["skipped", "failed", "finished", "failed"] and ended.out.count("epoch 1/1") == 1


def test_refused_before_the_run_begins_is_recorded_but_touches_no_finished_run(finished, sweep, runs, closing):
    ended = sweep("seed=0", "trainer.gradient_accumulation_steps=1,0", "tracker.name=null,no_such_tracker")
    assert [row[2] for row in closing(ended.out)[:-1]] == ["skipped", "failed", "failed", "failed"]
    assert sorted(run.state() for run in runs().values()) == ["failed", "finished"], "the tracker is not the run's"


def test_a_run_that_another_process_works_on_is_left_to_it(finished, sweep, closing):
    finished.write_status("running")
    with finished.lock():
        ended = sweep("seed=0,1")
        assert finished.state() == "running"
    assert ended.status == 3 and "works on this run" in ended.err.splitlines()[-1]
    assert ended.err.startswith("1 job of the sweep still running in other processes:\n  seed=0: ")
    assert [row[1] for row in closing(ended.out)[:-1]] == ["running", "finished"]


@pytest.mark.parametrize("became", ["finished", "failed", "running"])
def test_a_run_left_to_another_process_is_looked_at_again_at_the_end(finished, sweep, closing, monkeypatch, became):
    """The other process ends while this sweep trains its next run; left in the state running, it was killed."""
    from cifar100 import app

    finished.write_status("running")
    build_model, other = app.build_model, ExitStack()
    other.enter_context(finished.lock())

    def meanwhile(config):
        finished.write_status(became, **({"error": "Diverged: a reason"} if became == "failed" else {}))
        other.close()
        return build_model(config)

    monkeypatch.setattr(app, "build_model", meanwhile)
    ended = sweep("seed=0,1")
    expected = "interrupted" if became == "running" else became
    assert [row[1] for row in closing(ended.out)[:-1]] == [expected, "finished"]
    assert ended.status == (0 if became == "finished" else 1)
    reasons = {"finished": "", "failed": "seed=0: Diverged: a reason\n", "running": "ended before it was finished\n"}
    assert ended.err.endswith(reasons[became]) and (became != "finished" or not ended.err)


@pytest.mark.slow
def test_one_sweep_typed_twice_at_once_splits_the_runs(tiny, image_cache, tmp_path):
    """As on two machines with one file system: each run is trained once, and nobody calls the other's runs failed."""
    overrides = (*tiny[:-1], "trainer.num_train_epochs=5", "seed=0,1,2,3")
    command = [sys.executable, str(Path(__file__).parents[2] / "train.py"), "-m", *overrides]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=tmp_path, **pipes) for _ in range(2)]
    ended = [(process.communicate(timeout=300), process.returncode) for process in both]
    assert sum(out.count("epoch 5/5") for (out, _), _ in ended) == 4
    assert 0 in (status for _, status in ended), "the last to end finds all runs finished"
    for (out, err), status in ended:
        assert status in (0, 3) and "failed" not in out + err
        assert status == 3 or not err
    assert {RunDirectory(run).state() for run in tmp_path.glob("multirun/default/*-*")} == {"finished"}


def test_an_interrupted_sweep_has_its_table_too(sweep, runs, closing, monkeypatch):
    from cifar100 import app

    build_model = app.build_model

    def interrupted(config):
        if config.seed == 1:
            raise Interrupted(signal.SIGINT)
        return build_model(config)

    monkeypatch.setattr(app, "build_model", interrupted)
    ended = sweep("seed=0,1,2")
    assert (ended.status, ended.err) == (130, "interrupted by SIGINT; the same command continues\n")
    *rows, total = closing(ended.out)
    assert [row[1] for row in rows] == ["finished", "interrupted", "not"] and rows[2][-1] == "-"
    assert total == ["3", "jobs:", "1", "not", "begun,", "1", "finished,", "1", "interrupted"]
    assert sorted(run.state() for run in runs().values()) == ["finished", "interrupted"] and left() == []


def test_an_experiment_that_sweeps_by_itself(typed, tiny, runs, closing, tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "row").mkdir()
    text = "# @package _global_\nstudy: probe\nhydra: {mode: MULTIRUN, sweeper: {params: {row: glob(probe_*)}}}\n"
    (tmp_path / "conf" / "experiment" / "probe.yaml").write_text(text)
    for number, name in enumerate(("One", "Two")):
        row = f"# @package _global_\nlabel: {name}\nema_decay: 0.{number + 1}\n"
        (tmp_path / "conf" / "row" / f"probe_{number}.yaml").write_text(row)
    ended = typed("train", "--config-dir", str(tmp_path / "conf"), "experiment=probe", *tiny)
    assert ended.status == 0, ended.err
    assert [row[:2] for row in closing(ended.out)[:-1]] == [["One", "finished"], ["Two", "finished"]]
    assert len(runs()) == 2 and left(Path("multirun/probe")) == []


def test_no_epochs_end_with_one_table_of_costs_and_leave_nothing(sweep, closing, tmp_path):
    ended = sweep("trainer.num_train_epochs=0", "attention=none,se,eca")
    assert ended.status == 0
    *rows, total = closing(ended.out)
    assert [row[0] for row in rows] == ["none", "se", "eca"] and total == ["3", "jobs:", "3", "counted"]
    assert rows[0][1] == "3,890" and all(len(row) == 3 for row in rows)
    assert "Total:" not in ended.out, "no table by layers"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_twenty_runs_one_poisoned(sweep, closing):
    values = ",".join(str((10 + number) / 100) for number in range(19))
    for attempt in range(2):
        ended = sweep(f"optimizer.lr={values},1e30")
        assert ended.status == 1
        *rows, total = closing(ended.out)
        expected = "finished" if attempt == 0 else "skipped"
        assert [row[1] for row in rows] == [expected] * 19 + ["failed"]
        assert total == ["20", "jobs:", "19", f"{expected},", "1", "failed"]
        assert ended.out.count("epoch 1/1") == (19 if attempt == 0 else 0)
        assert len(ended.err.splitlines()) == 2 and "1e+30: the loss became nan in epoch 1" in ended.err
    (failed,) = [run for run in map(RunDirectory, Path("multirun/default").iterdir()) if run.state() == "failed"]
    assert failed.status()["error"].startswith("Diverged: the loss became nan")


def test_each_job_is_composed_once(sweep, closing, monkeypatch):
    """The sweeper composes each to refuse mistakes before any begins; the launcher takes what it composed."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    composed, compose = [], ConfigLoaderImpl.load_sweep_config

    def counted(self, master_config, sweep_overrides):
        composed.append(tuple(sweep_overrides)[-1])
        return compose(self, master_config, sweep_overrides)

    monkeypatch.setattr(ConfigLoaderImpl, "load_sweep_config", counted)
    ended = sweep("trainer.num_train_epochs=0", "attention=none,se,none")
    assert composed[:2] == ["attention=none", "attention=se"] and len(composed) <= 4
    assert [row[0] for row in closing(ended.out)[:-1]] == ["none", "se", "none"]
    assert "no_such_option" in sweep("no_such_option=1,2").err, "still refused before any job begins"
