"""Rows whose networks are one and the same are said to be; nothing else is."""

import math

import pytest

from cifar100.report.records.study import read_study

ATTENTION = "model.stage.block.attention"
PRINT = {"sha256": "ab" * 32, "train": [0.5, -1.25, 3.0], "eval": [0.25, 1e-9, -2.0]}


def changed(**parts):
    return {"architecture": PRINT | parts}


def write(synthetic, folder, size, architecture, **options):
    changes = {ATTENTION: synthetic.attention("eca", kernel_size=size)} | options.pop("changes", {})
    label = f"k={size}"
    synthetic.write_run(folder, label=label, changes=changes, evaluation=architecture, row=f"eca_{size}", **options)


def twins(folder, **options) -> list[str | None]:
    return [row.identical_to for row in read_study(folder, **options).rows]


def test_equal_fingerprints_are_one_network(synthetic, tmp_path):
    close = [value * (1 + 1e-8) for value in PRINT["train"]]
    write(synthetic, tmp_path, 1, changed())
    write(synthetic, tmp_path, 2, changed(train=close))
    write(synthetic, tmp_path, 3, changed())
    assert twins(tmp_path) == [None, "k=1", "k=1"]


@pytest.mark.parametrize(
    "other",
    [
        changed(sha256="cd" * 32), changed(train=[0.5, -1.25, 3.00001]), changed(eval=[0.25, 1.1e-9, -2.0]),
        changed(eval=[0.25, 1e-9]), changed(train=[]), changed(train=["0.5", -1.25, 3.0]),
        changed(train=[True, -1.25, 3.0]), changed(sha256=None), {"architecture": "ab" * 32},
        {"architecture": None}, {},
    ],
)  # fmt: skip
def test_others_are_not(synthetic, tmp_path, other):
    write(synthetic, tmp_path, 1, changed())
    write(synthetic, tmp_path, 2, other)
    assert twins(tmp_path) == [None, None]


def test_another_initialisation_or_recipe_is_another_experiment(synthetic, tmp_path):
    write(synthetic, tmp_path / "init", 1, changed())
    write(synthetic, tmp_path / "init", 2, changed(), changes={"model.init.zero_last_norm": True})
    assert twins(tmp_path / "init") == [None, None]
    write(synthetic, tmp_path / "recipe", 1, changed())
    write(synthetic, tmp_path / "recipe", 2, changed(), changes={"optimizer.lr": 0.2})
    assert twins(tmp_path / "recipe", allow_mixed=True) == [None, None]


def test_one_configuration_trained_by_two_recipes_is_no_twin(write, tmp_path):
    """In a table of recipes every row has the same network; only chance alone would make two of them twins."""
    write()
    write(changes={"optimizer.lr": 0.2})
    assert twins(tmp_path, allow_mixed=True) == [None, None]


def test_probes_that_are_no_numbers_do_not_break_a_report(synthetic, tmp_path):
    write(synthetic, tmp_path, 1, changed())
    write(synthetic, tmp_path, 2, changed(train=[math.inf, 0.0, 0.0]))  # written as null
    assert twins(tmp_path) == [None, None]
