"""The tables of settings, of each network's parts, and of where every number comes from."""

import pytest

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.tables.runs import runs_table
from cifar100.report.tables.settings import composition_table, hyperparameter_table

WORDS = load_words("en")


def lines(table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for row in table.rows]


def test_all_shared_settings_are_listed(small_study):
    found = lines(hyperparameter_table(read_study(small_study), WORDS))
    for line in [
        ("optimizer", "optimizer", "sgd"),
        ("optimizer", "lr", "0.1"),
        ("scheduler", "scheduler", "cosine"),
        ("trainer", "bf16", "true"),
        ("augment", "policy", "null"),
        ("evaluation", "checkpoint", "last"),
        ("ema_decay", "ema_decay", "null"),
    ]:
        assert line in found
    assert len(found) == len(read_study(small_study).shared_recipe) - 3, "all but three targets that are the only ones"


def test_settings_that_differ_stand_side_by_side(write, tmp_path):
    write()
    write(changes={"optimizer.lr": 0.2}, choices={"trainer": "default"})
    table = hyperparameter_table(read_study(tmp_path, allow_mixed=True), WORDS)
    assert ("optimizer", "lr", "0.1 | 0.2", WORDS("tables.differs")) in lines(table)
    assert [line[3] for line in lines(table)].count("") == len(table.rows) - 1


def test_what_each_network_is_made_of(write, synthetic, tmp_path):
    write(label="Plain", row="a")
    parts = {"model.stage.block.mixer": synthetic.GHOST, "model.depths": [5, 5, 5]}
    write(label="Ghost", row="b", changes=parts, choices={"mixer": "ghost"})
    table = composition_table(read_study(tmp_path), WORDS)
    assert lines(table) == [("Plain", "baseline"), ("Ghost", "mixer ghost, depths 5-5-5")]
    assert "mixer conv" in table.notes[0] and "norm batchnorm2d" in table.notes[0]


def test_every_run_is_listed_used_or_not(write, tmp_path):
    used = write(seed=1, label="A")
    write(seed=2, state="failed", name="broken")
    table = runs_table(read_study(tmp_path), WORDS)
    first, second = (dict(zip(table.keys, line, strict=True)) for line in lines(table))
    assert (first["run"], first["row"], first["seed"], first["state"]) == (used.path.name, "A", "1", "finished")
    assert first["commit"] == "b245006baf" and first["host"] and first["ended"].startswith("20")
    assert (second["run"], second["state"]) == ("broken", "left out: failed: ValueError: widths must be positive")


def command(synthetic, folder, **options) -> str:
    synthetic.write_run(folder, **options)
    table = runs_table(read_study(folder), WORDS)
    assert any("reconstructed" in note for note in table.notes) != any(
        "recorded overrides" in note for note in table.notes
    )
    return table.column("command")[0].text


def test_a_command_of_choices(synthetic, tmp_path):
    found = command(synthetic, tmp_path, seed=3, choices={"attention": "eca", "optimizer": "adamw"})
    assert found == (
        "python train.py attention=eca optimizer=adamw trainer=fast trainer.num_train_epochs=5 data.val_size=0 seed=3"
    )


def test_a_row_file_stands_for_its_choices(synthetic, tmp_path):
    found = command(synthetic, tmp_path, row="main_1_eca", choices={"attention": "eca", "trainer": "default"})
    assert found == "python train.py row=main_1_eca trainer.num_train_epochs=5 data.val_size=0 seed=0"


def test_a_command_as_it_was_typed(synthetic, tmp_path):
    typed = ["attention=eca", "model.widths=[8,8,8]", "data.path=/somebody/s folder", "seed=3"]
    found = command(synthetic, tmp_path, changes={"overrides": typed})
    assert found == "python train.py attention=eca 'model.widths=[8,8,8]' seed=3"


@pytest.mark.parametrize("value", ["x; rm -rf ~", "$(reboot)", "a\nb"])
def test_a_command_runs_nothing_else(synthetic, tmp_path, value):
    found = command(synthetic, tmp_path, choices={"attention": value})
    quoted = value.replace("\n", " ")
    assert f"'attention={quoted}'" in found and "\n" not in found


def test_uncommitted_changes_are_marked(write, tmp_path):
    run = write()
    run.write_environment(run.environment() | {"git": {"commit": "c0ffee" * 6, "dirty": True}})
    table = runs_table(read_study(tmp_path), WORDS)
    assert table.column("commit")[0].text == "c0ffeec0ff+" and WORDS("tables.notes.dirty") in table.notes
    run.write_environment({"git": None})
    assert runs_table(read_study(tmp_path), WORDS).column("commit")[0].text == ""
