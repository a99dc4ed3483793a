"""Records from anywhere: a run that cannot be read is left out, one that can be is printed as plain text."""

import json

import pytest

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.table_files import csv_text, latex_text
from cifar100.report.tables.comparison import main_table

EVIL = "<script>alert(1)</script>\x1b]0;owned\x07 \u202e=cmd|'/C calc'!A0\n\\input{x}"


@pytest.fixture
def good(write):
    return write(seed=0, classes=10)


@pytest.mark.parametrize(
    "entries",
    [
        {"test/top1": 1.5}, {"test/top1": "0.6"}, {"test/top1": True}, {"test/top1": None}, {"test/top5": -0.1},
        {"parameters": -1}, {"parameters": 2.5}, {"macs": None}, {"macs": [1]}, {"n": "10000"},
        {"latency_s": "fast"}, {"test/loss": -1},
    ],
)  # fmt: skip
def test_impossible_numbers_leave_a_run_out(write, tmp_path, good, entries):
    write(seed=1, classes=10, evaluation=entries)
    study = read_study(tmp_path)
    (key,) = entries
    assert study.baseline.seeds == (0,) and f"metrics.json: {key}=" in study.left_out[0].reason


@pytest.mark.parametrize(
    "changes",
    [{"model": "resnet20"}, {"optimizer": None}, {"data": []}, {"trainer": 3}, {"augment": {"x": {"y": "${a}"}}}],
)
def test_a_configuration_of_another_program_leaves_a_run_out(write, synthetic, tmp_path, good, changes):
    other = write(seed=1, classes=10)
    text = synthetic.CONFIG | {"seed": 1} | changes
    (other.path / "config.yaml").write_text(json.dumps(text))
    study = read_study(tmp_path)
    assert study.baseline.seeds == (0,) and "config.yaml" in study.left_out[0].reason


@pytest.mark.parametrize("seed", ["0", 1.0, True, None])
def test_a_seed_is_a_whole_number(write, synthetic, tmp_path, good, seed):
    other = write(seed=1, classes=10)
    (other.path / "config.yaml").write_text(json.dumps(synthetic.CONFIG | {"seed": seed}))
    assert "is no whole number" in read_study(tmp_path).left_out[0].reason


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("evaluation/per_class.csv", "class,name\n1,a\n"),
        ("evaluation/per_class.csv", "class,name,n,top1,top5,precision\n0,a,100,nan,0,0\n"),
        ("evaluation/per_class.csv", "class,name,n,top1,top5,precision\n0,a,-5,0,0,0\n"),
        ("evaluation/per_class.csv", "class,name,n,top1,top5,precision\nx,a,100,0,0,0\n"),
        ("evaluation/confusion.csv", "true class,a,b\na,1,2\n"),
        ("evaluation/confusion.csv", "true class,a\na,-1\n"),
        ("evaluation/confusion.csv", "true class,a\na,1e9\n"),
        ("metrics.jsonl", "[]\n"),
        ("summary.json", "[]"),
        ("environment.json", '{"a": NaN}'),
        ("status.json", '{"state": "splendid"}'),
    ],
)
def test_damaged_files_leave_a_run_out_and_are_named(write, tmp_path, good, name, damage):
    other = write(seed=1, classes=10)
    (other.path / name).write_text(damage)
    study = read_study(tmp_path)
    assert study.baseline.seeds == (0,) and name.split("/")[-1] in study.left_out[0].reason
    assert study.left_out[0].reason.isprintable()


def test_texts_from_records_stay_plain_lines(write, synthetic, tmp_path):
    for seed in (0, 1):
        run = write(seed=seed, label=EVIL,
            changes={"augment.policy": EVIL, "data.name": EVIL, EVIL.split("\x1b")[0]: 1},
            choices={"model": EVIL, EVIL: EVIL}, class_names=[f"{EVIL}{index}" for index in range(6)],
            evaluation={"uncounted_operators": {EVIL: 1}, "git": {"commit": EVIL, "dirty": "x"}},
        )  # fmt: skip
        run.write_status("finished", host=EVIL, updated=EVIL)
        run.write_environment({"git": {"commit": EVIL}, "hardware": {"cpu": EVIL, "gpus": [{"name": EVIL}, 3]}})
    broken = write(seed=2, state="failed", name="=broken")
    broken.write_status("failed", error=EVIL)
    for table in synthetic.report_tables(read_study(tmp_path)):
        texts = [table.title, *table.columns, *table.notes, *(cell.text for row in table.rows for cell in row)]
        assert not [text for text in texts if not text.isprintable()]
        assert all(not line.startswith(("=", "+", "-", "@")) for line in csv_text(table).splitlines())
        assert r"\input" not in latex_text(table)


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"gpus": 1}, {"cpu": {"a": 1}}, {"gpus": [{"name": {}}]}])
def test_odd_descriptions_of_machines_and_choices_are_printed_as_they_can_be(write, synthetic, tmp_path, odd):
    run = write(classes=6)
    recorded = odd if isinstance(odd, dict) else {"commit": odd, "cpu": odd, "gpus": odd}
    run.write_environment({"git": recorded, "hardware": recorded, "data": recorded})
    run.write_summary({"train_s": -1 if odd == 3 else odd})
    config = run.config() | {"choices": odd, "label": odd, "overrides": odd}
    run.write_config(config)
    study = read_study(tmp_path)
    assert len(synthetic.report_tables(study, "en", [study])) > 5
    assert "—" in [cell.text for cell in main_table(study, load_words("en")).column("train_s")]
