"""What a finished run comes to, and what it was told, in the form that trackers take."""

import resource
import sys
from typing import Any

import torch

from cifar100.training.state import Progress


def summary(progress: Progress, device: torch.device) -> dict[str, Any]:
    """The record's summary.json: rows of the best (by ``val/top1``; null without held-out images) and the last epoch,
    epochs, seconds spent in training steps, and peak memory in bytes."""
    return {
        "best": progress.best,
        "last": progress.rows[-1],
        "epochs": progress.epoch,
        "train_s": sum(row["epoch_s"] for row in progress.rows),
        "memory_bytes": _peak_memory_bytes(device),
    }


def hyperparameters(recipe: dict[str, Any], prefix: str = "") -> dict[str, str | int | float]:
    """``{"optimizer.lr": 0.1}`` for ``{"optimizer": {"lr": 0.1}}``; lists and nulls are left out."""
    flat: dict[str, str | int | float] = {}
    for key, value in recipe.items():
        if isinstance(value, dict):
            flat |= hyperparameters(value, f"{prefix}{key}.")
        elif isinstance(value, str | int | float):
            flat[f"{prefix}{key}"] = value
    return flat


def _peak_memory_bytes(device: torch.device) -> int:
    """The most memory that this process has held: on the GPU where there is one, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
