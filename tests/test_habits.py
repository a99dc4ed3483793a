"""What people type who come from other tools, answered with this project's name for it."""

import pytest
import yaml

from cifar100.base.errors import UserError
from cifar100.config import CONF
from cifar100.habits import NAMES, check_habits


def answer(*arguments: str) -> str:
    with pytest.raises(UserError) as error:
        check_habits(arguments, "train")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("lr=0.05", "optimizer.lr=0.05"),
        ("batch_size=64", "trainer.per_device_train_batch_size=64"),
        ("epochs=3", "trainer.num_train_epochs=3"),
        ("depths=[3,3,3]", "model.depths=[3,3,3]"),
        ("wd=1e-4", "optimizer.weight_decay=1e-4"),
        ("trainer.learning_rate=0.1", "optimizer.lr=0.1"),
        ("trainer.seed=1", "seed=1"),
        ("trainer.report_to=wandb", "tracker=wandb"),
        ("trainer.output_dir=runs", "root=runs"),
        ("trainer.warmup_ratio=0.1", "scheduler.warmup_epochs=..."),
        ("+lr=0.05", "optimizer.lr=0.05"),
        ("--lr=0.05", "optimizer.lr=0.05"),
        ("--weight-decay=0", "optimizer.weight_decay=0"),
    ],
)
def test_names_the_option(typed, name):
    assert answer("seed=1", typed).endswith(f"type {name}")


def test_a_value_may_stand_apart():
    assert answer("--epochs", "3").endswith("type trainer.num_train_epochs=3")


def test_other_answers():
    assert "continues" in answer("--resume") and "continues" in answer("resume=true")
    assert "accelerate launch" in answer("gpus=2")
    assert "without dashes" in answer("--atention=eca") and "did you mean attention" in answer("--atention=eca")


@pytest.mark.parametrize(
    "typed",
    ["-m", "--cfg", "--multirun", "--config-dir=mine", "attention=eca", "seed=1", "model.depths=[1]", "+new=1", "~norm",
     "optimizer.lr=0.1", "label=lr", "hydra/launcher=processes", "block@late_block=convnext", "model=glob(*)"],
)  # fmt: skip
def test_what_is_ours_passes(typed):
    check_habits([typed], "train")
    check_habits(["lr=1"], "evaluate")


def test_every_name_is_an_option_of_ours():
    train = yaml.safe_load((CONF / "train.yaml").read_text())
    for name in NAMES:
        group, _, option = name.partition(".")
        assert group in train or (CONF / group).is_dir(), name
        texts = [file.read_text() for file in (CONF / group).glob("*.yaml")] if (CONF / group).is_dir() else []
        assert not option or option in train.get(group, {}) or any(f"{option}:" in text for text in texts), name


def test_the_command_says_so(typed):
    ended = typed("train", "lr=0.1")
    assert ended.status == 2 and ended.err == "lr=0.1: here it is called optimizer.lr; type optimizer.lr=0.1\n"
