"""The subject of an explanation: an evaluated run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cifar100.evaluation.evaluation_folder import evaluation_folder
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.predict import Predictions


@dataclass(frozen=True)
class Subject:
    """A run, its predictions on a split, and how many images a picture may show."""

    run: OpenRun
    split: str
    predictions: Predictions
    samples: int

    def file(self, name: str) -> str:
        """Where an explanation's file belongs, relative to evaluation/."""
        return f"{evaluation_folder(self.split)}explanations/{name}"

    @property
    def title(self) -> str:
        """The design, what it answered and with which weights, as the head of a figure."""
        epoch = "" if self.run.epoch is None else f" of epoch {self.run.epoch}"
        return f"{self.run.title}\n{self.run.data.name}, {self.split}, checkpoint {self.run.checkpoint}{epoch}"

    def superclass(self, index: int) -> str | None:
        """The superclass of a class; None where there are none."""
        data = self.run.data
        return data.superclass_names[data.superclass_of[index]] if data.superclass_of else None

    def write_table(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
        """Writes a CSV file; without superclasses the columns that speak of them are left out. Returns its name."""
        kept = [
            index for index, column in enumerate(header) if "superclass" not in column or self.run.data.superclass_of
        ]
        cells = [[row[index] for index in kept] for row in rows]
        self.run.record.write_csv(self.file(name), [header[index] for index in kept], cells)
        return name
