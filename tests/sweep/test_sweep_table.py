"""The table that closes a sweep: who is in it, what it says of them, and how wide it is."""

import pytest

from cifar100.record import RunDirectory
from cifar100.sweep.job import Job
from cifar100.sweep.table import closing_table, names


@pytest.fixture
def run(tmp_path):
    """Called as (name, *top1): the path of a run with an epoch for each accuracy, each of 2.5 s."""

    def write(name: str, *top1: float | None) -> str:
        rows = [{"epoch": epoch, "epoch_s": 2.5, "val/top1": each} for epoch, each in enumerate(top1, 1)]
        record = RunDirectory(tmp_path / name)
        record.path.mkdir()
        record.write_metrics([{key: value for key, value in row.items() if value is not None} for row in rows])
        return str(record.path)

    return write


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line]


def test_results_come_from_the_run_directories(run):
    jobs = [
        Job(0, ["model=a", "seed=0"], path=run("a-seed0-11111111", 0.25, 0.75, 0.5), state="finished"),
        Job(1, ["model=a", "seed=1"], path=run("a-seed1-22222222"), state="failed", reason="no", status=1),
        Job(2, ["model=a", "seed=2"], path=run("a-seed2-33333333", None), state="skipped"),
        Job(3, ["model=a", "seed=3"]),
    ]
    assert cells(closing_table(jobs)) == [
        ["seed", "state", "best", "top-1", "last", "top-1", "train", "s", "run"],
        ["0", "finished", "75.00%", "50.00%", "7.5", "a-seed0-11111111"],
        ["1", "failed", "-", "-", "-", "a-seed1-22222222"],
        ["2", "skipped", "-", "-", "2.5", "a-seed2-33333333"],
        ["3", "not", "begun", "-", "-", "-", "-"],
        ["4", "jobs:", "1", "not", "begun,", "1", "finished,", "1", "skipped,", "1", "failed"],
    ]


def test_a_job_that_was_not_heard_of_again_is_what_its_record_says(run):
    jobs = [Job(num, [f"seed={num}"], path=run(str(num)), state="begun") for num in range(3)]
    for job in jobs[:2]:
        RunDirectory(job.path).write_status("running")
    with RunDirectory(jobs[0].path).lock():
        states = [row[1] for row in cells(closing_table(jobs))[1:4]]
    assert states == ["running", "interrupted", "interrupted"], "at work; killed; killed before its record began"


def test_a_damaged_record_costs_its_own_figures_only(run):
    damaged = run("damaged", 0.5)
    (RunDirectory(damaged).path / "metrics.jsonl").write_bytes(b"{" * 50 + b"\n{}\n")
    jobs = [Job(0, ["seed=0"], path=damaged, state="failed"), Job(1, ["seed=1"], path=run("sound", 0.5))]
    assert cells(closing_table(jobs))[1] == ["0", "failed", "-", "-", "-", "damaged"]
    assert "50.00%" in closing_table(jobs)


def test_costs_where_nothing_was_to_be_trained():
    jobs = [
        Job(0, ["model=small", "trainer.num_train_epochs=0"], state="counted", parameters=1234, macs=5678901),
        Job(1, ["model=large", "trainer.num_train_epochs=0"], state="failed", reason="no"),
    ]
    assert cells(closing_table(jobs)) == [
        ["model", "parameters", "multiply-adds"],
        ["small", "1,234", "5,678,901"],
        ["large", "failed", "-"],
        ["2", "jobs:", "1", "counted,", "1", "failed"],
    ]


class TestNames:
    def test_are_what_varies(self):
        assert names([Job(0, ["a=1", "b=1", "seed=0"]), Job(1, ["a=1", "b=2", "seed=0"])]) == ["b=1", "b=2"]
        assert names([Job(0, ["a=1", "seed=0"]), Job(1, ["a=2", "seed=1"])]) == ["a=1 seed=0", "a=2 seed=1"]

    def test_labels_stand_for_the_rows_that_give_them(self):
        jobs = [
            Job(0, ["row=main_1_eca", "seed=0"], label="ECA"),
            Job(1, ["row=main_2_ghost", "seed=0"], label="Ghost"),
            Job(2, ["row=main_2_ghost", "seed=1"]),
        ]
        assert names(jobs) == ["ECA seed=0", "Ghost seed=0", "row=main_2_ghost seed=1"], "the last has not begun"

    def test_a_label_that_all_share_tells_nothing(self):
        assert names([Job(0, ["seed=0"], label="x"), Job(1, ["seed=1"], label="x")]) == ["seed=0", "seed=1"]

    def test_where_nothing_varies(self):
        assert names([Job(0, ["a=1"])]) == ["#0"]
        assert names([Job(0, ["a=1"], label="ECA")]) == ["ECA"]

    def test_drawn_numbers_are_short(self):
        jobs = [Job(0, ["lr=0.12520653814999466", "d=1.1498870747119445e-05"]), Job(1, ["lr=0.125", "d=0.1"])]
        assert names(jobs) == ["lr=0.125207 d=1.14989e-05", "lr=0.125 d=0.1"]


def test_fits_the_terminal(run):
    jobs = [
        Job(num, [f"a={'long' * 20}{num}", f"seed={num}"], path=run(f"basic-d3-3-3-w16-32-64-e150-1234567{num}", 0.5))
        for num in range(2)
    ]
    whole = closing_table(jobs).splitlines()
    assert len(whole[1]) > 100 and "…" not in "".join(whole)
    for width in (100, 90):
        lines = closing_table(jobs, width).splitlines()
        assert max(map(len, lines)) <= width
        assert lines[3].endswith("12345671") and lines[3].startswith("a=long") and "…" in lines[3]
