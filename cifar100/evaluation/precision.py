"""The number format of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any

import torch


class Precision(StrEnum):
    """Format of the products in the forward pass; weights are float32, and so are the logits that are kept."""

    FLOAT32 = "float32"
    BF16 = "bf16"
    FP16 = "fp16"

    @classmethod
    def of_trainer(cls, trainer: Any) -> Precision:
        """The precision in which a recorded `trainer` (a mapping with bf16 and fp16) trained."""
        fields = trainer if isinstance(trainer, Mapping) else {}
        return cls.BF16 if fields.get("bf16") is True else cls.FP16 if fields.get("fp16") is True else cls.FLOAT32

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """Makes the forward passes in its block run in this format."""
        dtype = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}.get(self)
        return torch.autocast(device.type, dtype, enabled=dtype is not None)
