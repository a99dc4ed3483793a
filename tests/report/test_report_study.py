"""A study has rows over seeds and a baseline; some runs are left out or refused."""

import shutil

import pytest

from cifar100.record import RunDirectory
from cifar100.report.records.study import read_studies, read_study

ECA = "model.stage.block.attention"


def test_runs_that_differ_in_their_seed_are_one_row(small_study):
    study = read_study(small_study)
    assert [row.label for row in study.rows] == ["Design 0", "Design 1", "Design 2", "Design 3"]
    assert all(row.seeds == (0, 1, 2) and row.n == 3 for row in study.rows)
    assert study.baseline is study.rows[0] and study.name == "small"
    assert not study.mixed and not study.left_out and len(study.runs) == 12
    for row in study.rows:
        for run in row.runs:
            recorded = RunDirectory(run.path).read_json("metrics.json")
            for name, key in (("top1", "test/top1"), ("top5", "test/top5"), ("macs", "macs")):
                assert row.values(name)[row.seeds.index(run.seed)] == recorded[key]


def test_what_the_rows_share(small_study):
    shared = read_study(small_study).shared_recipe
    assert shared["optimizer"] == "cifar100.optim.sgd.sgd" and shared["optimizer.lr"] == 0.1
    assert shared["evaluation.precision"] == "bf16" and shared["trainer.num_train_epochs"] == 5
    assert not [key for key in shared if "_partial_" in key or key.startswith("model") or "seed" in key]


def test_what_has_no_effect_parts_no_rows(write, tmp_path):
    write(seed=0, changes={"trainer.dataloader_num_workers": 4, "trainer.num_train_epochs": 5.0})
    write(seed=1, changes={"trainer.disable_tqdm": True})
    assert read_study(tmp_path).baseline.seeds == (0, 1)


def test_runs_that_cannot_be_used_are_left_out_with_the_reason(write, tmp_path):
    write(seed=0)
    write(seed=1, state="failed", name="failed")
    write(seed=2, state="running", name="killed")
    write(seed=3, evaluated=False, name="not evaluated")
    damaged = write(seed=4, name="damaged")
    (damaged.path / "summary.json").write_text("{")
    running = write(seed=5, state="running", name="running")
    with running.lock():
        study = read_study(tmp_path)
    reasons = {each.name: each.reason for each in study.left_out}
    assert study.baseline.seeds == (0,) and len(reasons) == 5
    assert reasons["failed"] == "failed: ValueError: widths must be positive"
    assert reasons["killed"].startswith("interrupted") and reasons["running"].startswith("still running")
    assert f"python evaluate.py 'run_dir={tmp_path}/not evaluated'" in reasons["not evaluated"]
    assert "summary.json: is no valid JSON" in reasons["damaged"]


def test_a_study_without_usable_runs_is_one_line(synthetic, tmp_path):
    synthetic.write_run(tmp_path / "study", state="failed")
    with pytest.raises(ValueError, match=r"study=.* has no finished and evaluated run: .*widths must be positive"):
        read_study(tmp_path / "study")
    with pytest.raises(ValueError, match="names no run directory; .* has study"):
        read_study(tmp_path / "studdy")


def test_mixed_recipes_are_refused_with_what_differs(write, synthetic, tmp_path):
    write(label="SGD")
    write(seed=1, label="SGD")
    write(label="AdamW", changes={"optimizer": synthetic.ADAMW}, choices={"optimizer": "adamw"})
    with pytest.raises(ValueError) as refused:
        read_study(tmp_path)
    message = str(refused.value)
    assert "optimizer.lr is 0.1 (2 runs) and 0.001 (1 run)" in message and "allow_mixed=true" in message
    assert "optimizer.momentum is 0.9 (2 runs) and absent (1 run)" in message and "\n" not in message
    study = read_study(tmp_path, allow_mixed=True)
    assert study.mixed["optimizer.lr"] == [0.1, 0.001] and "optimizer.lr" not in study.shared_recipe
    assert [row.label for row in study.rows] == ["SGD", "AdamW (optimizer adamw, lr 0.001, weight_decay 0.05)"]


def test_other_numbers_of_processes_are_other_batch_sizes(write, tmp_path):
    write()
    run = write(seed=1)
    run.write_environment(run.environment() | {"processes": 2})
    with pytest.raises(ValueError, match="mixes recipes: processes is 1 .* and 2"):
        read_study(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("checkpoint", "best"), ("precision", "float32"), ("data_fingerprint", "0" * 64), ("n", 5000)]
)
def test_rows_that_were_not_evaluated_alike_are_refused(write, tmp_path, key, value):
    write()
    write(seed=1, evaluation={key: value})
    with pytest.raises(ValueError, match=f"was not evaluated alike: evaluation.{key} is .*evaluate.py"):
        read_study(tmp_path)
    assert len(read_study(tmp_path, allow_mixed=True).rows) == 2


def test_baseline_by_label_by_run_and_by_near_miss(small_study):
    by_label = read_study(small_study, baseline="Design 2")
    assert by_label.baseline.label == by_label.rows[0].label == "Design 2"
    assert [row.label for row in by_label.rows[1:]] == ["Design 0", "Design 1", "Design 3"]
    run = by_label.rows[3].runs[1].name
    assert read_study(small_study, baseline=run).baseline.label == "Design 3"
    assert read_study(small_study, baseline="design 1").baseline.label == "Design 1"
    with pytest.raises(ValueError, match="baseline='Desing 3' is no row's label and no run's id; try 'Design 3'"):
        read_study(small_study, baseline="Desing 3")


def test_the_first_row_file_is_the_baseline_and_row_files_give_the_order(write, tmp_path):
    for place, label in ((10, "Tenth"), (2, "Second"), (1, "First")):
        write(label=label, row=f"eca_{place}", changes={"model.widths": [place, 32, 64]})
    write(label="Apart")
    assert [row.label for row in read_study(tmp_path).rows] == ["First", "Second", "Tenth", "Apart"]


def test_without_row_files_the_defaults_are_the_baseline(write, synthetic, tmp_path):
    changed = {ECA: synthetic.attention("eca", kernel_size=None)}
    write(label="A", changes=changed, choices={"attention": "eca"})
    write(label="Z")
    assert read_study(tmp_path).baseline.label == "Z"


def test_a_seed_that_two_folders_hold_counts_once(synthetic, tmp_path):
    first = synthetic.write_run(tmp_path / "a")
    shutil.copytree(first.path, tmp_path / "b" / "copy")
    study = read_study(tmp_path)
    assert study.baseline.seeds == (0,) and study.runs[0].path == first.path
    assert [each.name for each in study.left_out] == ["copy"] and str(first.path) in study.left_out[0].reason


def test_several_folders_are_several_studies(synthetic, tmp_path):
    for folder in ("eca", "main", "ghost"):
        synthetic.write_study(tmp_path / folder, rows=2, seeds=1, classes=5)
    main, *ablations = read_studies([tmp_path / "main", tmp_path], baseline="Design 1")
    assert (main.name, main.baseline.label) == ("main", "Design 1")
    assert [(each.name, each.baseline.label) for each in ablations] == [("eca", "Design 0"), ("ghost", "Design 0")]


def test_a_folder_named_twice_is_one_study(synthetic, tmp_path):
    synthetic.write_study(tmp_path / "main", rows=2, seeds=1, classes=5)
    (study,) = read_studies([tmp_path / "main", tmp_path / "main", tmp_path])
    assert len(study.runs) == 2 and not study.left_out
