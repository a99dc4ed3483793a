"""--help of each command names its groups and what is used most."""

import re

import pytest

from cifar100.config import CONF
from cifar100.help import groups


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_every_option_that_the_help_shows_is_one(command, typed):
    text = typed(command, "--help").out
    config = (CONF / f"{command}.yaml").read_text()
    folders = {folder.name for folder in CONF.iterdir() if folder.is_dir()}
    examples = re.findall(r"^    (\w[\w.]*)=", text, re.MULTILINE)
    assert len(examples) >= 6
    for name in examples:
        top = name.split(".")[0]
        assert top in folders or f"\n{top}:" in config, name
    assert "Exit status: 0 done" in text


def test_the_help_of_train_lists_every_group_and_choice_but_counts_the_rows(typed):
    text = " ".join(typed("train", "--help").out.split())
    for folder in (each for each in CONF.iterdir() if each.is_dir() and each.name not in ("hydra", "row")):
        choices = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        assert f"{folder.name} {choices}" in text
    assert "main_1_eca" not in text and "main_0_resnet20" in text


def test_groups_are_wrapped_to_a_terminal():
    assert max(map(len, groups().splitlines())) <= 118
