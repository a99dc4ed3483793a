"""What a job tells, and that nothing of it ever stops a run."""

import os
import pickle
import signal

import pytest

from cifar100.base.errors import Interrupted
from cifar100.sweep import sweep
from cifar100.sweep.job import Job, read_jobs


def test_what_is_written_is_read(tmp_path):
    job = Job(3, ["seed=0"], label="ECA", path="somewhere", state="failed", reason="one\nline\x1b[2J", status=2, pid=7)
    job.write(tmp_path)
    Job(12, ["seed=1"]).write(tmp_path)
    found = read_jobs(tmp_path)
    assert sorted(found) == [3, 12] and sorted(os.listdir(tmp_path)) == ["12.json", "3.json"]
    assert found[3].reason == "one line\\x1b[2J", "a terminal obeys control characters"
    found[3].reason = job.reason
    assert found[3] == job


def test_a_folder_that_is_gone_stops_no_run(tmp_path):
    Job(0, []).write(tmp_path / "gone")
    assert not (tmp_path / "gone").exists() and read_jobs(tmp_path / "gone") == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "{}", '{"num": 1}', '{"num": [], "overrides": []}'])
def test_damaged_files_are_left_out(content, tmp_path):
    (tmp_path / "0.json").write_text(content)
    assert read_jobs(tmp_path) == {}


def test_an_interruption_passes_between_processes():
    error = pickle.loads(pickle.dumps(Interrupted(signal.SIGTERM)))
    assert type(error) is Interrupted and error.signum == signal.SIGTERM and "SIGTERM" in str(error)


def test_a_process_whose_job_was_interrupted_begins_no_other(tmp_path, monkeypatch):
    elsewhere = sweep.Sweep()
    elsewhere.folder, elsewhere.leader = tmp_path, ("another machine", 1)
    monkeypatch.setattr(sweep, "_current", elsewhere)
    monkeypatch.setattr(sweep, "_interrupted", False)
    job, waiting = Job(0, []), Job(1, [])
    sweep.begin(job)
    assert sweep.prefix() == "#0 "
    sweep.end(job, "interrupted")
    assert sweep.prefix() == ""
    with pytest.raises(KeyboardInterrupt):
        sweep.begin(waiting)
    assert {num: each.state for num, each in read_jobs(tmp_path).items()} == {0: "interrupted"}


def test_jobs_arrive_where_the_sweep_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sent = sweep.Sweep()
    sent.cwd = tmp_path
    content = pickle.dumps(sent)
    monkeypatch.chdir("/")
    pickle.loads(content)
    assert os.getcwd() == str(tmp_path)
