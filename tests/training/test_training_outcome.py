"""How a run ended, in its record."""

import pytest

from cifar100.record import RunDirectory
from cifar100.training.outcome import note_failure, true_status


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (ValueError("no"), "failed", "ValueError: no"),
        (KeyboardInterrupt(), "interrupted", None),
        (SystemExit(-1), "interrupted", None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_the_block_is_noted_and_goes_through(error, state, told, tmp_path):
    record = RunDirectory(tmp_path / "run")
    with pytest.raises(type(error)), record.lock(), true_status(record):
        raise error
    assert (record.status()["state"], record.status().get("error")) == (state, told)


def test_a_failure_before_the_run_begins(tmp_path):
    record = RunDirectory(tmp_path / "run")
    note_failure(record, ValueError("first"), {"seed": 0})
    assert record.status()["error"] == "ValueError: first" and record.config() == {"seed": 0}
    note_failure(record, ValueError("second"), {"seed": 1})
    assert record.status()["error"] == "ValueError: second" and record.config() == {"seed": 0}
    record.write_status("finished")
    note_failure(record, ValueError("third"), {})
    assert record.status()["state"] == "finished" and "error" not in record.status()


def test_a_failure_beside_another_process_is_not_its_runs(tmp_path):
    record = RunDirectory(tmp_path / "run")
    with record.lock():
        record.write_status("running")
        note_failure(record, ValueError("this run is at work"), {})
        assert record.status()["state"] == "running"


def test_of_several_processes_the_first_notes(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    note_failure(RunDirectory(tmp_path / "run"), ValueError("no"), {})
    assert not (tmp_path / "run").exists()
