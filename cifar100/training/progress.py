"""A progress bar on a terminal, a line per epoch in the log."""

import logging
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from cifar100.metrics import Totals
from cifar100.training.state import Progress

log = logging.getLogger(__name__)

# Reading the running sums waits for a GPU, so the bar shows them a few times a second at most.
REFRESH_S = 0.5


class Display:
    """Shows epoch, loss, top-1, images per second and time left.

    Args:
        epochs: in all.
        steps: per epoch.
        done: steps that earlier sessions of the run have taken.
        quiet: whether to show no bar; the lines per epoch are logged anyway.
    """

    def __init__(self, epochs: int, steps: int, done: int, *, quiet: bool) -> None:
        self.epochs, self.steps = epochs, steps
        self.bar = tqdm(total=epochs * steps, initial=done, unit="step", disable=quiet, dynamic_ncols=True, leave=False)
        self.shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.close()

    def step(self, totals: Totals, progress: Progress) -> None:
        """Shows the running figures after a step."""
        if self.bar.disable or time.monotonic() - self.shown < REFRESH_S:
            return
        self.shown = time.monotonic()
        now = totals.results()
        speed = now["n"] / max(progress.epoch_s, 1e-9)
        self.bar.set_description(f"epoch {progress.epoch + 1}/{self.epochs}", refresh=False)
        self.bar.n = progress.epoch * self.steps + progress.step
        self.bar.set_postfix_str(f"loss {now['loss']:.3f}, top-1 {now['top1']:.1%}, {speed:.0f} images/s")

    def epoch(self, row: dict[str, Any]) -> None:
        """Logs the row of a finished epoch."""
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
