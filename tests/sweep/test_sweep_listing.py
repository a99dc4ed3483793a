"""python -m cifar100 runs: found, sorted, filtered; as a table and as CSV; quick, and never stopped by one bad run."""

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cifar100.__main__ import overrides
from cifar100.record import RecordError, RunDirectory
from cifar100.sweep.listing import COLUMNS, runs

CONFIG = {"model": {"_target_": "a.B", "depths": [1]}, "trainer": {"lr": 1, "num_train_epochs": 10}, "seed": 0}


def record(folder: Path, *, state="finished", epochs=(), summary=None, test=None, **config) -> RunDirectory:
    run = RunDirectory(folder)
    run.write_config(CONFIG | {"label": None, "choices": {"stage": "csp", "model": "resnet20"}} | config)
    run.write_metrics(epochs)
    if summary:
        run.write_summary(summary)
    if test is not None:
        run.write_json("metrics.json", {"test/top1": test, "test/top5": 0.9})
    run.write_environment({"parameters": 278_324})
    run.write_status(state)
    return run


def epoch(number: int, top1: float, seconds: float) -> dict:
    return {"epoch": number, "val/top1": top1, "epoch_s": seconds}


@pytest.fixture
def study(tmp_path) -> Path:
    """A finished and evaluated run, an interrupted one, one that failed, and one whose status is damaged."""
    done = {"best": epoch(9, 0.7, 1), "last": epoch(10, 0.6, 1), "epochs": 10, "parameters": 5, "train_s": 3700.0}
    record(tmp_path / "a", summary=done, test=0.68, label="=SUM(A1)")
    record(tmp_path / "b", state="interrupted", epochs=[epoch(n, n / 10, 60.0 * n) for n in (1, 2, 3)], seed=1)
    record(tmp_path / "c", state="failed", label="ECA")
    record(tmp_path / "d").path.joinpath("status.json").write_text("{")
    return tmp_path


def listed(folder: Path, **options) -> dict[str, dict]:
    return {Path(row["run"]).name: row for row in runs(folder, show=lambda text: None, **options)}


def test_tells_what_each_run_reached(study):
    rows = listed(study)
    assert list(rows) == ["a", "b", "c", "d"]
    assert [rows[each]["state"] for each in rows] == ["finished", "interrupted", "failed", "damaged"]
    done, part = rows["a"], rows["b"]
    assert (done["val/top1"], done["last_val/top1"], done["best_epoch"], done["test/top1"]) == (0.7, 0.6, 9, 0.68)
    assert (done["epoch"], done["epochs"], done["parameters"], done["left_s"]) == (10, 10, 5, None)
    assert (part["epoch"], part["val/top1"], part["seed"], part["parameters"]) == (3, 0.3, 1, 278_324)
    assert part["left_s"] == 7 * 120.0 and part["train_s"] == 360.0
    assert "status.json" in rows["d"]["error"] and rows["a"]["model"] == "resnet20"


def test_sorts_with_runs_that_have_no_value_last(study):
    assert list(listed(study, sort="val/top1"))[:2] == ["b", "a"]
    assert list(listed(study, sort="-val/top1"))[:2] == ["a", "b"]
    assert list(listed(study, sort="-run")) == ["d", "c", "b", "a"]


def test_filters(study):
    assert list(listed(study, state="failed")) == ["c"]
    assert list(listed(study, state=["failed", "damaged"])) == ["c", "d"]
    assert list(listed(study, seed=1)) == ["b"]
    assert list(listed(study, label="EC*")) == ["c"] and list(listed(study, label="CA")) == ["c"]


def test_csv_is_read_by_programs_and_starts_no_formula(study):
    shown = []
    rows = runs(study, format="csv", show=shown.append)
    read = list(csv.DictReader(io.StringIO(shown[0])))
    assert len(read) == len(rows) == 4 and tuple(read[0]) == COLUMNS
    assert float(read[0]["val/top1"]) == 0.7 and read[1]["test/top1"] == ""
    assert read[0]["label"] == "'=SUM(A1)"


def test_the_table_is_for_people(study):
    shown = []
    runs(study, show=shown.append, columns=["label", "epoch", "val/top1", "left_s", "train_s"])
    lines = shown[0].splitlines()
    assert lines[1].split() == ["=SUM(A1)", "10/10", "70.00%", "-", "1:01:40"]
    assert lines[2].split() == ["-", "3/10", "30.00%", "0:14:00", "0:06:00"]
    assert lines[-1] == "4 runs: 1 finished, 1 interrupted, 1 failed, 1 damaged"


def test_a_control_character_in_a_label_does_not_reach_the_terminal(tmp_path):
    record(tmp_path / "a", label="x\x1b[2Jy")
    shown = []
    runs(tmp_path, show=shown.append)
    assert "\x1b" not in shown[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "top1"}, "did you mean test/top1 or val/top1?"),
        ({"columns": ["run", "valtop1"]}, "did you mean"),
        ({"format": "xml"}, "table, csv"),
        ({"watch": 1}, "true or false"),
        ({"every_s": 0}, "seconds"),
    ],
)
def test_refuses_what_cannot_be_meant(study, options, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        listed(study, **options)


def test_names_what_comes_near(study):
    with pytest.raises(RecordError, match="names no run directory"):
        listed(study / "aa")


def test_watching_ends_when_nothing_runs(study):
    run, shown = RunDirectory(study / "b"), []
    with run.lock():
        run.write_status("running")

        def show(text: str) -> None:
            shown.append(text)
            run.write_status("running" if len(shown) < 3 else "finished")

        runs(study, watch=True, every_s=0.1, show=show)
    assert len(shown) == 4 and "1 running" in shown[2] and "2 finished" in shown[3]


def test_500_runs_take_less_than_two_seconds_of_processor_time(tmp_path):
    row = {"train/loss": 1.0, "train/top1": 0.5, "val/loss": 1.0, "val/top5": 0.9, "lr": 0.1}
    epochs = [epoch(number, 0.5, 60.0) | row for number in range(1, 151)]
    model = {f"part{index}": {"_target_": "a.B", "_partial_": True, "kernel_size": 3} for index in range(30)}
    first = record(tmp_path / "0", summary={"best": epochs[0], "last": epochs[-1], "epochs": 150}, model=model)
    files = {each.name: each.read_bytes() for each in first.path.iterdir() if each.is_file()}
    metrics = "".join(json.dumps(each) + "\n" for each in epochs).encode()
    for index in range(1, 500):
        (tmp_path / str(index)).mkdir()
        for name, content in (files | {"metrics.jsonl": metrics}).items():
            (tmp_path / str(index) / name).write_bytes(content)
    start = time.process_time()
    assert len(listed(tmp_path)) == 500
    assert time.process_time() - start < 1.5  # the command adds half a second for its start


def test_the_command_needs_no_torch_and_takes_folders_alone(study):
    code = (
        "import sys; from cifar100.__main__ import main\n"
        "try: main(['runs', 'a', 'c', 'sort=-run'])\n"
        "finally: print(*{'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=study, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["c", "a"]
    assert lines[-1] == "" and lines[-2].startswith("2 runs")


def test_names_alone_are_quoted_for_hydra():
    assert overrides(["it's (1).png", "top=3"], "images") == ["top=3", r"images=['it\'s (1).png']"]
    assert overrides(["--help", "x=1"], "images") == ["--help", "x=1"]
    assert overrides(["--config-dir", "mine", "a.png"], "images") == ["--config-dir", "mine", "images=['a.png']"]
    assert overrides(["loose"], None) == ["loose"]
