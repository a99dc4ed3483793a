"""Where a run stands, and how that is shown: a bar on a terminal, else lines every now and then."""

import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import torch
from tqdm import tqdm

from cifar100.base.errors import UserError
from cifar100.base.values import is_finite
from cifar100.metrics import Totals

log = logging.getLogger(__name__)
NO_TOTALS = (0.0,) * 4

# Reading the running sums waits for a GPU, so the bar shows them a few times a second at most.
REFRESH_S = 0.5
# Without a terminal a line every so often shows that the run goes on.
LINE_S = 30.0


@dataclass
class Progress:
    """Where a run stands. Random numbers need no place here: each step draws from (seed, epoch, step).

    ``epoch`` counts finished epochs and ``step`` the optimizer steps taken in the current one, whose running sums are
    ``totals`` and whose seconds so far ``epoch_s``; ``rows`` are the lines of metrics.jsonl; ``processes`` is by how
    many processes the run was begun.
    """

    epoch: int = 0
    step: int = 0
    epoch_s: float = 0.0
    totals: list[float] = field(default_factory=lambda: list(NO_TOTALS))
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    processes: int = 1

    @classmethod
    def from_record(cls, data: dict[str, Any]) -> Self:
        """The progress that a checkpoint has. Raises UserError, or what Python does, where it is none."""
        found = cls(**data)
        counts = [data["epoch"], data["step"], found.processes]
        numbers = [found.epoch_s, *found.totals, *(row["epoch_s"] for row in data["rows"])]
        if found.best is not None:
            counts, numbers = [*counts, found.best["epoch"]], [*numbers, found.best["val/top1"]]
        good = all(type(each) is int and each >= 0 for each in counts) and all(map(is_finite, numbers))
        rows = [row["epoch"] for row in found.rows]
        good &= len(found.totals) == len(NO_TOTALS) and rows == list(range(1, found.epoch + 1))
        if not good:
            raise UserError("its progress is none of a run")
        return found

    def running_totals(self) -> Totals:
        """The running sums of the current epoch."""
        return Totals.from_tensor(torch.tensor(self.totals, dtype=torch.float64))

    def is_out_of_patience(self, patience: int | None) -> bool:
        """Whether ``patience`` epochs have passed since the best one."""
        return patience is not None and self.best is not None and self.epoch - self.best["epoch"] >= patience

    def finish_epoch(
        self,
        totals: Totals,
        validated: dict[str, float],
        lr: float,
        sparsity: float | None = None,
        may_be_best: bool = True,
    ) -> dict[str, Any]:
        """Goes on to the next epoch; returns the row of metrics.jsonl of the one that is over.

        Args:
            totals: sums over the epoch's training images.
            validated: metrics on the held-out images, none without them; the best epoch is the first of the highest
                ``val/top1``.
            lr: learning rate after the epoch.
            sparsity: of a network that is pruned as it trains.
            may_be_best: false before the last weight is pruned.
        """
        train = totals.results()
        row = {"epoch": self.epoch + 1, "train/loss": train["loss"], "train/top1": train["top1"], **validated, "lr": lr}
        row |= {"epoch_s": self.epoch_s, "images_per_s": train["n"] / max(self.epoch_s, 1e-9)}
        row |= {} if sparsity is None else {"sparsity": sparsity}
        self.rows.append(row)
        if validated and may_be_best and (self.best is None or row["val/top1"] > self.best["val/top1"]):
            self.best = row
        self.epoch, self.step, self.epoch_s, self.totals = self.epoch + 1, 0, 0.0, list(NO_TOTALS)
        return row


class Display:
    """Shows epoch, loss, top-1, images per second and time left.

    Args:
        epochs: in all.
        steps: per epoch.
        done: steps that earlier sessions of the run have taken.
        quiet: whether to show no bar; there are lines in the log instead, one per epoch and one every LINE_S seconds.
        main: whether this process speaks for all.
    """

    def __init__(self, epochs: int, steps: int, done: int, *, quiet: bool, main: bool = True) -> None:
        self.epochs, self.steps = epochs, steps
        shape = {"total": epochs * steps, "initial": done, "unit": "step", "dynamic_ncols": True, "leave": False}
        try:
            self.bar = tqdm(**shape, disable=quiet)
        except (OSError, ValueError):
            self.bar = tqdm(**shape, disable=True)
        self.interval = REFRESH_S if not quiet else LINE_S if main else math.inf
        self.shown = 0.0 if not quiet else time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError, ValueError):
            self.bar.close()

    def step(self, totals: Totals, progress: Progress) -> None:
        """Shows the running figures after a step."""
        if time.monotonic() - self.shown < self.interval:
            return
        self.shown = time.monotonic()
        now, epoch = totals.results(), f"epoch {progress.epoch + 1}/{self.epochs}"
        speed = now["n"] / max(progress.epoch_s, 1e-9)
        figures = f"loss {now['loss']:.3f}, top-1 {now['top1']:.1%}, {speed:.0f} images/s"
        done = progress.epoch * self.steps + progress.step
        if self.bar.disable:
            left = progress.epoch_s / progress.step * (self.epochs * self.steps - done)
            log.info("%s, step %d/%d: %s, %s left", epoch, progress.step, self.steps, figures, _clock(left))
            return
        try:
            self.bar.set_description(epoch, refresh=False)
            self.bar.n = done
            self.bar.set_postfix_str(figures)
        except (OSError, ValueError):  # a full disk or a closed stream takes the bar, not the run
            self.bar.disable = True

    def epoch(self, row: dict[str, Any]) -> None:
        """Logs the row of a finished epoch."""
        self.shown = time.monotonic()
        words = [
            f"epoch {row['epoch']}/{self.epochs}",
            f"loss {row['train/loss']:.4f}",
            f"top-1 {row['train/top1']:.2%}",
        ]
        if "val/top1" in row:
            words += [f"val loss {row['val/loss']:.4f}", f"val top-1 {row['val/top1']:.2%}"]
            words += [f"val top-5 {row['val/top5']:.2%}"]
        words += [f"{row['images_per_s']:.0f} images/s", f"{row['epoch_s']:.1f} s"]
        left = (self.epochs - row["epoch"]) * row["epoch_s"]
        log.info("  ".join(words + ([f"{_clock(left)} left"] if left else [])))


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
