"""A progress bar on a terminal, else lines every now and then; a line per epoch in the log."""

import logging
import math
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from cifar100.metrics import Totals
from cifar100.training.state import Progress

log = logging.getLogger(__name__)

# Reading the running sums waits for a GPU, so the bar shows them a few times a second at most.
REFRESH_S = 0.5
# Without a terminal a line every so often shows that the run goes on.
LINE_S = 30.0


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
