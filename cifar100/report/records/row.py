"""A row of the report's tables: the runs that differ only in their seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from cifar100.report.records.run import Run

_PROPERTIES = ("top1", "top5", "train_s", "latency_s", "parameters", "macs")


@dataclass(frozen=True)
class Row:
    """`runs` are ordered by seed. `identical_to` is the label of an earlier row that trains the same network by the
    same recipe, so that the two differ by chance alone; None where there is none."""

    label: str
    runs: tuple[Run, ...]
    identical_to: str | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(run.seed for run in self.runs)

    @property
    def own_recipe(self) -> frozenset[str]:
        """The parts of the recipe that a run of the row declares to belong to its design."""
        return frozenset(key for run in self.runs for key in run.own_recipe)

    @property
    def n(self) -> int:
        return len(self.runs)

    @property
    def parameters(self) -> int:
        return self.runs[0].parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return self.runs[0].macs

    @property
    def latency_s(self) -> float | None:
        """Mean over the runs that were timed; None where none was."""
        timed = [run.latency_s for run in self.runs if run.latency_s is not None]
        return fmean(timed) if timed else None

    @property
    def train_s(self) -> float:
        """Mean seconds spent in training steps."""
        return fmean(self.values("train_s"))

    def values(self, metric: str) -> list[float]:
        """A number of each run, by seed: top1, top5, train_s, latency_s, parameters, macs, or a key of its
        evaluation such as test/loss; nan where a run does not have it."""
        return list(self.by_seed(metric).values())

    def by_seed(self, metric: str) -> dict[int, float]:
        return {run.seed: _number(run, metric) for run in self.runs}


def _number(run: Run, metric: str) -> float:
    value = getattr(run, metric) if metric in _PROPERTIES else run.evaluation.get(metric)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
