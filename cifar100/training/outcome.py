"""How a run ended, in its record: its status, and the summary of what it came to."""

import logging
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from cifar100.base.errors import Pruned
from cifar100.record import RecordError, RunDirectory
from cifar100.training.progress import Progress

log = logging.getLogger(__name__)


@contextmanager
def true_status(record: RunDirectory) -> Iterator[None]:
    """Notes in the record that the run of the block was interrupted, given up by a search, or failed and why. Call with
    its lock held."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)  # the latter by a scheduler's warning
        note = {} if interrupted else {"error": _reason(error)}
        interrupted |= isinstance(error, Pruned)
        try:
            record.write_status("interrupted" if interrupted else "failed", **note)
        except OSError as fault:  # the full disk that stopped the run is still full
            log.warning("the status could not be written: %s", fault)
        raise


def note_failure(record: RunDirectory, error: Exception, config: dict[str, Any]) -> None:
    """Notes that a run failed before :func:`true_status` could watch over it, such as for a choice that is refused.

    A finished run, one that another process works on, and what has been noted already stay as they are.
    """
    if os.environ.get("RANK", "0") != "0":
        return
    with suppress(RecordError, OSError), record.lock():
        status = record.status() or {}
        if status.get("state") == "finished" or status.get("error") == _reason(error):
            return
        if not (record.path / "config.yaml").exists():
            record.write_config(config)
        record.write_status("failed", error=_reason(error))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


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


def device_name(device: torch.device) -> str:
    """The device in words, with what decides how it computes."""
    if device.type == "cuda":
        tf32 = "with" if torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32 else "without"
        return f"{device}, {torch.cuda.get_device_name(device)}, {tf32} TF32"
    if device.type != "cpu":
        named = getattr(torch.get_device_module(device), "get_device_name", None)
        return f"{device}, {named(device)}" if named else str(device)
    threads = torch.get_num_threads()
    return f"{device}, {threads} thread{'s' if threads > 1 else ''}"


def _peak_memory_bytes(device: torch.device) -> int:
    """The most memory that this process has held: on a GPU that counts it, else resident."""
    if hasattr(module := torch.get_device_module(device), "max_memory_allocated"):
        return module.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
