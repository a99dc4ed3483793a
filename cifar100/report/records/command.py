"""The command of a run, as its record allows to tell it."""

from __future__ import annotations

import shlex
from typing import Any

from cifar100.base.conf import default_choices
from cifar100.base.text import plain_line
from cifar100.report.records.parts import readable
from cifar100.report.records.run import Run

_RECIPE = ("augment", "data", "loss", "optimizer", "scheduler")
MAX_WORD = 200
MAX_WORDS = 100
# Places of one machine, and what is no part of the experiment.
_LOCAL = ("data.path=", "data.cache_dir=", "root=", "force=")


def typed_command(run: Run) -> str | None:
    """The command with the overrides that config.yaml holds under `overrides`; None where it holds none."""
    overrides = run.config.get("overrides")
    if not isinstance(overrides, list) or not all(isinstance(each, str) for each in overrides):
        return None
    return _command([each for each in overrides[:MAX_WORDS] if not each.lstrip("+").startswith(_LOCAL)])


def recorded_command(run: Run) -> str:
    """A command made of the recorded choices other than the program's defaults, epochs, held-out images and seed.

    A row file stands for the parts of the network that it chooses. Options that were changed beyond the choices are
    not in it.
    """
    choices = run.choices
    words = [f"row={choices['row']}"] if "row" in choices else []
    for group, usual in default_choices().items():
        if choices.get(group, usual) != usual and ("row" not in choices or group in _RECIPE):
            words.append(f"{group}={choices[group]}")
    if choices.get("trainer", "default") != "default":
        words.append(f"trainer={choices['trainer']}")
    words += _value("trainer.num_train_epochs", run.config["trainer"].get("num_train_epochs"))
    words += _value("data.val_size", run.config["data"].get("val_size"))
    return _command([*words, f"seed={run.seed}"])


def _value(key: str, value: Any) -> list[str]:
    return [] if value is None else [f"{key}={readable(value)}"]


def _command(words: list[str]) -> str:
    return " ".join(["python train.py", *(shlex.quote(plain_line(word, MAX_WORD)) for word in words)])
