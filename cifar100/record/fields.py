"""The numbers of an evaluation (evaluation/metrics.json): the name, unit and form of each, for every table and card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A number of a record.

    Args:
        key: in the record, `split/name` where it belongs to a split.
        name: in English, as in a sentence.
        unit: "%" where the record has a fraction, else that of the record.
        decimals: with which it is shown.
        hub: the kind of metric that the Hugging Face Hub knows it by, None for one that it does not know.
    """

    key: str
    name: str
    unit: str
    decimals: int
    hub: str | None = None

    @property
    def heading(self) -> str:
        """`test top-1 accuracy, %`"""
        return f"{self.key.partition('/')[0]} {self.name}, {self.unit}"

    def text(self, value: float) -> str:
        """The value in the field's unit and decimals; a dash for one that is not finite."""
        return (
            f"{100 * value if self.unit == '%' else value:.{self.decimals}f}" if math.isfinite(value) else "\N{EM DASH}"
        )

    def read(self, evaluation: dict[str, Any]) -> float | None:
        """The value in an evaluation; None where it is missing or no number."""
        value = evaluation.get(self.key)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


METRICS = (
    Field("test/top1", "top-1 accuracy", "%", 2, hub="accuracy"),
    Field("test/top5", "top-5 accuracy", "%", 2, hub="accuracy"),
    Field("test/superclass_top1", "superclass accuracy", "%", 2),
    Field("test/loss", "cross-entropy", "nats", 4, hub="loss"),
    Field("test/ece", "expected calibration error", "%", 2, hub="expected_calibration_error"),
)
