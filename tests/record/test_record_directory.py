import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import cifar100
from cifar100.record import RecordError, RunDirectory

ROWS = [{"epoch": 0, "train/loss": 2.5, "lr": 0.1}, {"epoch": 1, "train/loss": 0.1 + 0.2, "lr": 1e-05, "note": None}]


def test_import_needs_no_torch():
    code = "import sys, cifar100.record as r; print({'torch', 'numpy', 'hydra', 'omegaconf'} & set(sys.modules))"
    root = Path(cifar100.__file__).resolve().parents[1]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True) == "set()\n"


def test_nothing_is_there_before_a_run(run):
    assert run.status() is run.state() is run.environment() is run.summary() is run.read_json("metrics.json") is None
    assert run.metrics() == []
    assert not run.exists() and not run.has_checkpoint("last")
    with pytest.raises(RecordError, match="config.yaml: is missing: this is no run directory"):
        run.config()
    with pytest.raises(RecordError, match=r"last\.safetensors: is missing"):
        run.load_checkpoint("last")
    assert not run.path.exists(), "reading made something"


def test_plain_files_return_what_was_written(run):
    config = {
        "model": {"_target_": "cifar100.models.network.Network", "depths": [3, 3, 3], "scale": 1e-5, "bias": False},
        "text": {"number": "1e-3", "yes": "yes", "date": "2020-01-01", "null": "null", "empty": "", "中文": "残差"},
        "none": None,
        "inf": float("inf"),
    }
    run.write_config(config)
    run.write_environment({"git": None, "hardware": {"cpu": "x", "gpus": []}})
    run.write_summary({"best": {"epoch": 3, "val/top1": 0.123456789012345678}, "macs": 41_000_000})
    run.write_metrics(ROWS)
    assert run.config() == config and list(run.config()["model"]) == list(config["model"])
    assert run.environment() == {"git": None, "hardware": {"cpu": "x", "gpus": []}}
    assert run.summary()["best"]["val/top1"] == 0.123456789012345678
    assert run.metrics() == ROWS
    assert run.exists()
    assert (run.name, run.study) == ("run", "study")


def test_config_reads_the_same_through_omegaconf(run):
    from omegaconf import OmegaConf

    config = {
        "lr": 1e-05,
        "eps": 1e-08,
        "text": "1e-3",
        "date": "2020-01-01",
        "on": "on",
        "octal": "010",
        "list": [1, 2.5],
    }
    run.write_config(config)
    assert OmegaConf.to_container(OmegaConf.load(run.path / "config.yaml")) == config


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"a": {"b": ["${oc.env:HOME}"]}}, r"a\.b\[0\] holds"),
        ({"${x}": 1}, "holds"),
        ({"a": {"b": object()}}, r"a\.b is a object"),
        ({"a": {1: 2}}, "a has the key '1'; keys are strings"),
        ({"a": torch.zeros(1)}, "a is a Tensor"),
        ({"a": ["x" * 100] * 2000}, "would have"),
        ({"a": "\ud800"}, "Unicode"),
    ],
)
def test_config_refuses_what_it_could_not_read_again(run, value, word):
    with pytest.raises(RecordError, match=word):
        run.write_config(value)
    assert not (run.path / "config.yaml").exists()


def test_config_is_plain_data_only(run):
    from omegaconf import OmegaConf

    with pytest.raises(RecordError, match="DictConfig"):
        run.write_config(OmegaConf.create({"a": 1}))


def test_metrics_lose_a_torn_last_line_and_nothing_else(run):
    run.write_metrics(ROWS)
    path = run.path / "metrics.jsonl"
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for length in range(second, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert run.metrics() == (ROWS if length == len(whole) - 1 else ROWS[:1])
    path.write_bytes(whole[:-1])
    assert run.metrics() == ROWS, "only the newline is missing"
    path.write_bytes(whole.replace(b"2.5", b"2.5.5"))
    with pytest.raises(RecordError, match=r"metrics\.jsonl, line 1: is no valid JSON"):
        run.metrics()


@pytest.mark.parametrize(
    "rows",
    [
        [{"loss": 1.0}],
        [{"epoch": "1"}],
        [{"epoch": True}],
        [{"epoch": -1}],
        [{"epoch": 1}, {"epoch": 1}],
        [{"epoch": 1, "x": [1]}],
    ],
)
def test_metrics_refuses_rows_without_rising_epochs_and_single_values(run, rows):
    with pytest.raises(RecordError, match="epoch"):
        run.write_metrics(rows)
    run.write_metrics([])
    (run.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(RecordError, match="epoch"):
        run.metrics()


def test_numbers_that_are_not_finite_become_null(run):
    run.write_metrics([{"epoch": 0, "loss": float("nan"), "lr": float("inf")}])
    assert run.metrics() == [{"epoch": 0, "loss": None, "lr": None}]


def test_numpy_scalars_and_enumerations_are_recorded_as_what_they_stand_for(run):
    import enum

    import numpy

    class Kind(str, enum.Enum):  # noqa: UP042  transformers' enumerations are made so
        COSINE = "cosine"

    run.write_summary({"a": numpy.float64(0.5), "kind": Kind.COSINE, "tuple": (1, 2)})
    assert run.summary() == {"a": 0.5, "kind": "cosine", "tuple": [1, 2]}
    run.write_config({"a": numpy.float64(0.5), "kind": Kind.COSINE})
    assert run.config() == {"a": 0.5, "kind": "cosine"}


def test_status_keeps_the_first_time_and_survives_a_clock_that_goes_back(run):
    run.write_status("running", epoch=0)
    first = run.status()
    assert first["pid"] == os.getpid() and first["host"] and first["created"] == first["updated"]
    (run.path / "status.json").write_text(json.dumps(first | {"created": "2999-01-01T00:00:00+00:00"}))
    run.write_status("failed", error="loss is nan at epoch 3")
    assert run.status()["created"] == "2999-01-01T00:00:00+00:00"
    assert run.status()["error"] == "loss is nan at epoch 3"
    assert run.state() == "failed"
    with pytest.raises(ValueError, match="state='done' is none of running, finished, failed, interrupted"):
        run.write_status("done")


def test_damaged_status_is_refused_on_reading_and_replaced_on_writing(run):
    run.path.mkdir(parents=True)
    for text in ("", "[]", "{", '{"state": "done"}', '{"state": ["running"]}', "{}"):
        (run.path / "status.json").write_text(text)
        with pytest.raises(RecordError, match=r"status\.json"):
            run.state()
        run.write_status("running")
        assert run.status()["state"] == "running"


def test_clear_removes_the_run_and_keeps_the_rest(run, tmp_path):
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "file").write_text("x")
    with run.lock():
        run.write_config({"a": 1})
        run.write_status("finished")
        run.write_metrics(ROWS)
        run.write_summary({})
        run.save_checkpoint("last", {"w": torch.zeros(2)}, {})
        run.write_text("figures/note.txt", "x")
        (run.path / "train.log").write_text("old")
        (run.path / "notes.md").write_text("mine")
        (run.path / "evaluation" / "link").symlink_to(outside)
        with (run.path / "train.log").open("a") as log:
            run.clear()
            log.write("new")
        assert sorted(path.name for path in run.path.iterdir()) == [".lock", "notes.md", "train.log"]
        assert (run.path / "train.log").read_text() == "new"
        assert run.state() is None and not run.exists()
        run.clear()
    (run.path / "checkpoints").symlink_to(outside)
    run.clear()
    assert (outside / "file").read_text() == "x"


def test_evaluation_files_return_what_was_written(run):
    run.write_json("metrics.json", {"test/top1": 0.5, "test/ece": float("nan")})
    run.write_text("figures/a.svg", "<svg/>")
    run.write_bytes("figures/a.png", b"\x89PNG")
    run.write_csv("per_class.csv", ("class", "top1"), [("apple", 0.5), ('a,"b"\n', 1)])
    run.write_tensors("predictions.safetensors", {"logits": torch.eye(3)}, {"split": "test"})
    assert run.read_json("metrics.json") == {"test/top1": 0.5, "test/ece": None}
    assert run.read_bytes("figures/a.png") == b"\x89PNG"
    assert run.read_csv("per_class.csv") == [{"class": "apple", "top1": "0.5"}, {"class": 'a,"b"\n', "top1": "1"}]
    tensors, state = run.read_tensors("predictions.safetensors")
    assert torch.equal(tensors["logits"], torch.eye(3)) and state == {"split": "test"}
    with pytest.raises(ValueError, match="3 cells under 2 headings"):
        run.write_csv("x.csv", ("a", "b"), [(1, 2, 3)])
    run.write_text("torn.csv", "a,b\n1\n")
    with pytest.raises(RecordError, match=r"torn\.csv: is no table"):
        run.read_csv("torn.csv")


def test_csv_cells_are_no_formulas(run):
    run.write_csv("c.csv", ("=1+1", "top1"), [("=HYPERLINK(x)", -0.5), ("@SUM", 1), ("-2+3", 2), ("+1", 3), ("\tx", 4)])
    text = run.read_bytes("c.csv").decode()
    assert [line.split(",")[0].strip('"')[0] for line in text.splitlines()] == ["'"] * 6
    assert "-0.5" in text, "numbers stay numbers"


@pytest.mark.parametrize(
    "name", ["../config.yaml", "/etc/x", "", ".", "a/../../x", "a//b", "a/", "a\0b", "..\\x", "link/x", "a/."]
)
def test_nothing_is_written_outside_the_run(run, tmp_path, name):
    (run.path / "evaluation").mkdir(parents=True)
    (run.path / "evaluation" / "link").symlink_to(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for act in (lambda: run.write_text(name, "x"), lambda: run.read_bytes(name)):
        with pytest.raises(RecordError):
            act()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("folder", ["evaluation", "checkpoints"])
def test_linked_folders_of_a_foreign_run_are_refused(run, tmp_path, folder):
    run.path.mkdir(parents=True)
    (run.path / folder).symlink_to(tmp_path)
    with pytest.raises(RecordError, match="is a link"):
        run.write_text("a.txt", "x") if folder == "evaluation" else run.save_checkpoint("last", {}, {})
    assert not (tmp_path / "a.txt").exists()


def test_a_link_to_a_whole_run_is_followed(run, tmp_path):
    run.write_config({"a": 1})
    (tmp_path / "best").symlink_to(run.path)
    alias = RunDirectory(tmp_path / "best")
    alias.write_json("metrics.json", {})
    assert alias.config() == {"a": 1} and (alias.name, alias.study) == ("run", "study")
