"""One finished, evaluated run, read from its directory as data of unknown origin."""

import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar100.base.conf import SINCE, TRAINING, effective
from cifar100.base.errors import NotUsable, RecordError
from cifar100.base.text import plain_line
from cifar100.base.values import is_finite, is_whole
from cifar100.record import RunDirectory
from cifar100.report.records.evaluated import class_rows, confusion, measured

MAX_LABEL = 60
MOST_DECLARED = 40


@dataclass(frozen=True)
class Run:
    """The files of a run directory. `evaluation` is evaluation/metrics.json; its accuracies are fractions. `per_class`
    and `confusion` are None where the evaluation left them out."""

    name: str
    path: Path
    label: str | None
    config: dict[str, Any]
    status: dict[str, Any]
    environment: dict[str, Any]
    summary: dict[str, Any]
    epochs: list[dict[str, Any]]
    evaluation: dict[str, Any]
    per_class: list[dict[str, Any]] | None
    confusion: tuple[list[str], list[list[int]]] | None

    @property
    def seed(self) -> int:
        return self.config["seed"]

    @property
    def parameters(self) -> int:
        return self.evaluation["parameters"]

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return self.evaluation["macs"]

    @property
    def train_s(self) -> float:
        """Seconds spent in training steps; nan where the record does not say."""
        value = self.summary.get("train_s")
        return float(value) if is_finite(value) and value >= 0 else math.nan

    @property
    def latency_s(self) -> float | None:
        """Median seconds of one image's forward pass, where it was timed."""
        return self.evaluation.get("latency_s")

    def number(self, metric: str) -> float:
        """top1, top5, train_s, or a key of the evaluation such as test/loss; nan where the record does not have it."""
        value = self.evaluation.get(f"test/{metric}" if metric in ("top1", "top5") else metric)
        return self.train_s if metric == "train_s" else float(value) if is_finite(value) else math.nan

    @property
    def network(self) -> dict[str, Any]:
        return self.config["model"]

    @property
    def recipe(self) -> dict[str, Any]:
        """How the network was trained, without what has no effect on the result."""
        later = {key: self.config[key] for key in SINCE if key in self.config}
        return effective({key: self.config.get(key) for key in TRAINING} | later)

    @property
    def own_recipe(self) -> tuple[str, ...]:
        """The parts of the recipe that the run declares to belong to its design, as dotted keys; never the data."""
        declared = self.config.get("own_recipe")
        keys = [key for key in declared[:MOST_DECLARED] if isinstance(key, str)] if isinstance(declared, list) else []
        return tuple(key for key in keys if key.partition(".")[0] in (*TRAINING[1:], *SINCE))

    @property
    def choices(self) -> dict[str, str]:
        """The names of what was chosen in each group of conf/, as far as they were recorded."""
        recorded = self.config.get("choices")
        pairs = recorded.items() if isinstance(recorded, dict) else ()
        return {key: plain_line(value, MAX_LABEL) for key, value in pairs if isinstance(value, str)}


def read_run(record: RunDirectory) -> Run:
    """The run in a directory.

    Raises:
        NotUsable: it is not finished or not evaluated; with the cure.
        RecordError: one of its files is damaged; names the file.
    """
    status = record.status()
    _check_finished(record, status)
    evaluation = record.read_json("metrics.json")
    if evaluation is None:
        raise NotUsable(f"not evaluated; python evaluate.py {shlex.quote(f'run_dir={record.path}')}")
    config = record.config()
    _check_config(config, record.path / "config.yaml")
    return Run(
        name=plain_line(record.name, 200),
        path=record.path,
        label=None if config.get("label") is None else plain_line(config["label"], MAX_LABEL) or None,
        config=config,
        status=status or {},
        environment=record.environment() or {},
        summary=record.summary() or {},
        epochs=record.metrics(),
        evaluation=measured(evaluation, record.evaluation_path("metrics.json")),
        per_class=class_rows(record),
        confusion=confusion(record),
    )


def _check_finished(record: RunDirectory, status: dict[str, Any] | None) -> None:
    state = record.state()
    if state == "finished":
        return
    if state == "failed":
        error = plain_line((status or {}).get("error") or "no reason recorded", 300)
        raise NotUsable(f"failed: {error}")
    reasons = {
        "running": "still running; wait for it",
        "interrupted": "interrupted; the command that started it continues it",
        None: "not begun: it has no status.json",
    }
    raise NotUsable(reasons[state])


def _check_config(config: dict[str, Any], path: Path) -> None:
    seed = config.get("seed")
    if not is_whole(seed):
        raise RecordError(path, f"seed={str(seed)[:40]} is no whole number; this is no run of this program")
    for key in ("model", *(group for group in TRAINING if group != "ema_decay")):
        if not isinstance(config.get(key), dict):
            raise RecordError(path, f"has no {key}; it is damaged or no run of this program")
