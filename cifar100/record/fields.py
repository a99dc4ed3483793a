"""The numbers of a record, each named once: its unit and form, its name in both languages, and which way is better.

The tables of ``evaluate.py``, ``python -m cifar100 runs``, the report and the Hub's cards take headings and forms from
here. A metric of the images is named by itself (``top1``) and stands in a record under its split (``test/top1``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cifar100.base.values import is_finite, is_number

NONE = "\N{EM DASH}"
LANGUAGES = ("en", "zh")
# By unit, what a number of the record is multiplied by to be shown in it.
_SCALES = {"%": 100, "M": 1e-6, "ms": 1e3}
_CLOCK = "h:mm:ss"


@dataclass(frozen=True)
class Field:
    """A number of a record.

    Args:
        name: in the record, without the split.
        en: what it is called in English, as within a sentence.
        zh: the same in Chinese.
        unit: in which it is shown. The record holds fractions, seconds, bytes and counts.
        decimals: with which it is shown.
        better: "higher" or "lower", None where neither is.
        hub: the kind of metric that the Hugging Face Hub knows it by, None for one that it does not know.
    """

    name: str
    en: str
    zh: str
    unit: str = ""
    decimals: int = 0
    better: str | None = None
    hub: str | None = None

    def heading(self, language: str = "en") -> str:
        """The name with its unit, for the head of a column or an axis: ``Top-1 (%)``."""
        text = f"{self.en[0].upper()}{self.en[1:]}" if language == "en" else self.zh
        return text if not self.unit else f"{text} ({self.unit})" if language == "en" else f"{text}（{self.unit}）"

    def scaled(self, value: float) -> float:
        """The value of a record in the field's unit: 58.09 for 0.5809."""
        return value * _SCALES.get(self.unit, 1)

    def text(self, value: float | None, std: float = math.nan, *, unit: bool = False) -> str:
        """The value as it is shown, such as ``58.09``, or ``58.09 ± 0.21`` with a standard deviation.

        Args:
            value: as in the record; a dash stands for one that is missing or not finite.
            std: a standard deviation, left out where it is not finite.
            unit: whether the unit follows: ``58.09%``, ``1.20 ms``.
        """
        if value is None or not math.isfinite(value):
            return NONE
        text = self._number(value) + (f" ± {self._number(std)}" if math.isfinite(std) else "")
        return text if not unit or self.unit in ("", _CLOCK) else f"{text}{'' if self.unit == '%' else ' '}{self.unit}"

    def read(self, record: Mapping[str, Any], split: str = "test") -> float | None:
        """The value in an evaluation or a summary, None where it is missing or no number."""
        value = record.get(self.key(split))
        return value if is_number(value) else None

    def key(self, split: str = "test") -> str:
        """The field's key in a record: with the split where it is a metric of images."""
        return f"{split}/{self.name}" if self in METRICS else self.name

    def fault(self, value: Any) -> str | None:
        """The reason why a record's value cannot be this number; None where it can."""
        number = is_finite(value)
        if self.unit == "%":
            return None if number and 0 <= value <= 1 else "is no fraction from 0 to 1"
        if self in (PARAMETERS, MACS):
            return None if isinstance(value, int) and number and value >= 0 else "is no count"
        return None if number and value >= 0 else "is no number of at least 0"

    def _number(self, value: float) -> str:
        if self.unit == _CLOCK:
            seconds = round(value)
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{self.scaled(value):,.{self.decimals}f}"


METRICS = (
    Field("top1", "top-1", "Top-1", "%", 2, better="higher", hub="accuracy"),
    Field("top5", "top-5", "Top-5", "%", 2, better="higher", hub="accuracy"),
    Field("superclass_top1", "top-1 of superclasses", "超类 Top-1", "%", 2, better="higher"),
    Field("loss", "cross-entropy", "交叉熵", "nats", 4, better="lower", hub="loss"),
    Field("ece", "calibration error", "校准误差", "%", 2, better="lower", hub="expected_calibration_error"),
)
PARAMETERS = Field("parameters", "parameters", "参数量", better="lower")
MACS = Field("macs", "multiply-adds", "乘加次数", "M", 2, better="lower")
COSTS = (
    PARAMETERS,
    MACS,
    Field("latency_s", "latency of one image", "单幅图像的延迟", "ms", 2, better="lower"),
    Field("images_per_s", "images per second", "每秒图像数", decimals=0, better="higher"),
    Field("train_s", "training time", "训练时间", _CLOCK, better="lower"),
)
FIELDS = {field.name: field for field in (*METRICS, *COSTS, Field("left_s", "time left", "剩余时间", _CLOCK))}


def field_of(key: str) -> Field | None:
    """The field of a record's key, of whatever split (``val/top1``); None for a key that is no field."""
    return FIELDS.get(key.rpartition("/")[2])
