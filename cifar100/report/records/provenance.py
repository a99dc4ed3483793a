"""Where the numbers come from: data sets, budgets, machines, software, versions of the sources, and commands."""

import math
import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from cifar100.base.conf import default_choices
from cifar100.base.text import plain_line
from cifar100.base.values import is_whole
from cifar100.report.records.parts import readable
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row, Study

_RECIPE = ("augment", "data", "loss", "optimizer", "scheduler")
MAX_WORD, MAX_WORDS = 200, 100
# Places of one machine, and what is no part of the experiment.
_LOCAL = ("data.path=", "data.cache_dir=", "root=", "force=")

FEW_EPOCHS = 100  # published results on CIFAR take 150 to 300
FEW_SEEDS = 5
LIBRARIES = ("python", "torch", "torchvision", "accelerate", "numpy")
MAX_WORD = 40  # characters of a recorded word that a sentence has room for


def data_names(studies: Iterable[Study]) -> list[str]:
    """The recorded names of the data sets, each once."""
    return list(dict.fromkeys(plain_line(run.config["data"].get("name") or "?", MAX_WORD) for run in _runs(studies)))


def epochs(studies: Iterable[Study]) -> list[int]:
    """The numbers of epochs that the runs were to train for, ascending; without those that are no whole number."""
    values = [_epochs(run) for run in _runs(studies)]
    numbers = {value for value in values if isinstance(value, int | float) and math.isfinite(value)}
    return sorted(int(value) for value in numbers if value == int(value))


def _epochs(run: Run) -> Any:
    """The epochs asked for; where steps were counted instead, those that they came to."""
    trainer = run.config["trainer"]
    counts_steps = whole(trainer.get("max_steps")) not in (None, 0)
    return run.summary.get("epochs") if counts_steps else trainer.get("num_train_epochs")


def epoch_text(counts: list[int]) -> str:
    """`5`, or `5 / 15` where there are several."""
    return " / ".join(map(str, counts)) or "?"


def seed_counts(rows: Iterable[Row]) -> tuple[int, int]:
    """The fewest and the most runs that a row has."""
    counts = [row.n for row in rows]
    return min(counts), max(counts)


def whole(value: Any) -> int | None:
    """A recorded count, None where it is none."""
    return value if is_whole(value) and value >= 0 else None


def newest(studies: Iterable[Study]) -> str | None:
    """When the last run ended, to the minute in UTC; None where no record says."""
    times = []
    for run in _runs(studies):
        try:
            time = datetime.fromisoformat(str(run.status.get("updated")))
            times.append(time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            continue
    return f"{max(times):%Y-%m-%d %H:%M}" if times else None


def machines(studies: Iterable[Study]) -> list[tuple[str, str, str]]:
    """Processor, usable cores and GPUs ("" for none) of each kind of machine that runs were made on."""
    found = []
    for run in _runs(studies):
        hardware = run.environment.get("hardware")
        if isinstance(hardware, dict):
            cores = hardware.get("cpu_cores_usable", hardware.get("cpu_cores", "?"))
            cpu = plain_line(hardware.get("cpu") or "?", 60)
            found.append((cpu, plain_line(cores, 12), _gpus(hardware.get("gpus"))))
    return list(dict.fromkeys(found))


def versions(studies: Iterable[Study]) -> list[str]:
    """`torch 2.9.1` for each library that matters, with all versions that occur."""
    recorded = [each for run in _runs(studies) if isinstance(each := run.environment.get("versions"), dict)]
    found = []
    for name in LIBRARIES:
        values = [plain_line(each[name], MAX_WORD) for each in recorded if isinstance(each.get(name), str)]
        if values:
            found.append(f"{name} {' / '.join(dict.fromkeys(values))}")
    return found


def commit(environment: dict[str, Any]) -> str:
    """The first ten digits of the commit, with a plus sign where its sources had changes; "" where there is none."""
    git = environment.get("git")
    if not isinstance(git, dict) or not isinstance(git.get("commit"), str):
        return ""
    return plain_line(git["commit"][:10], 10) + ("+" if git.get("dirty") else "")


def commits(runs: Iterable[Run]) -> set[str]:
    """The commits that are recorded of these runs, changed sources or not."""
    return {commit(run.environment).removesuffix("+") for run in runs} - {""}


def is_dirty(run: Run) -> bool:
    git = run.environment.get("git")
    return isinstance(git, dict) and git.get("dirty") is True


def _runs(studies: Iterable[Study]) -> Iterator[Run]:
    return (run for study in studies for run in study.runs)


def _gpus(recorded: Any) -> str:
    if not isinstance(recorded, list):
        return ""
    names = [plain_line(gpu.get("name") or "?", 60) for gpu in recorded if isinstance(gpu, dict)]
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))


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
    for group, option in (("trainer", "num_train_epochs"), ("data", "val_size")):
        if (value := run.config[group].get(option)) is not None:
            words.append(f"{group}.{option}={readable(value)}")
    return _command([*words, f"seed={run.seed}"])


def _command(words: list[str]) -> str:
    return " ".join(["python train.py", *(shlex.quote(plain_line(word, MAX_WORD)) for word in words)])
