"""What the records say of the runs as a whole: data sets, budgets, machines, software."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.records.study import Study

FEW_EPOCHS = 100  # published results on CIFAR take 150 to 300
FEW_SEEDS = 5
LIBRARIES = ("python", "torch", "torchvision", "accelerate", "numpy")
TOLD = 40  # characters of a recorded word that a sentence has room for


def data_names(studies: Iterable[Study]) -> list[str]:
    """The recorded names of the data sets, each once."""
    runs = [run for study in studies for run in study.runs]
    return list(dict.fromkeys(plain_line(run.config["data"].get("name") or "?", TOLD) for run in runs))


def epochs(studies: Iterable[Study]) -> list[int]:
    """The numbers of epochs that the runs were to train for, ascending; without those that are no whole number."""
    values = [run.config["trainer"].get("num_train_epochs") for study in studies for run in study.runs]
    numbers = {value for value in values if isinstance(value, int | float) and math.isfinite(value)}
    return sorted(int(value) for value in numbers if value == int(value))


def epoch_text(counts: list[int]) -> str:
    """`5`, or `5 / 15` where there are several."""
    return " / ".join(map(str, counts)) or "?"


def seed_counts(rows: Iterable[Row]) -> tuple[int, int]:
    """The fewest and the most runs that a row has."""
    counts = [row.n for row in rows]
    return min(counts), max(counts)


def whole(value: Any) -> int | None:
    """A recorded count, None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def newest(studies: Iterable[Study]) -> str | None:
    """When the last run ended, to the minute in UTC; None where no record says."""
    times = []
    for study in studies:
        for run in study.runs:
            try:
                time = datetime.fromisoformat(str(run.status.get("updated")))
                times.append(time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC))
            except (ValueError, OverflowError):
                continue
    return f"{max(times):%Y-%m-%d %H:%M}" if times else None


def is_dirty(run: Run) -> bool:
    git = run.environment.get("git")
    return isinstance(git, dict) and git.get("dirty") is True


def machines(studies: Iterable[Study]) -> list[tuple[str, str, str]]:
    """Processor, usable cores and GPUs ("" for none) of each kind of machine that runs were made on."""
    found = []
    for study in studies:
        for run in study.runs:
            hardware = run.environment.get("hardware")
            if isinstance(hardware, dict):
                cores = hardware.get("cpu_cores_usable", hardware.get("cpu_cores", "?"))
                cpu = plain_line(hardware.get("cpu") or "?", 60)
                found.append((cpu, plain_line(cores, 12), _gpus(hardware.get("gpus"))))
    return list(dict.fromkeys(found))


def versions(studies: Iterable[Study]) -> list[str]:
    """`torch 2.9.1` for each library that matters, with all versions that occur."""
    seen: dict[str, dict[str, None]] = {name: {} for name in LIBRARIES}
    for study in studies:
        for run in study.runs:
            recorded = run.environment.get("versions")
            for name in LIBRARIES:
                value = recorded.get(name) if isinstance(recorded, dict) else None
                if isinstance(value, str):
                    seen[name][plain_line(value, TOLD)] = None
    return [f"{name} {' / '.join(values)}" for name, values in seen.items() if values]


def _gpus(recorded: Any) -> str:
    if not isinstance(recorded, list):
        return ""
    names = [plain_line(gpu.get("name") or "?", 60) for gpu in recorded if isinstance(gpu, dict)]
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
