"""Which images make up which micro-batch of which optimizer step."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from cifar100.base.counter import permutation, stream_key
from cifar100.base.errors import UserError


@dataclass(frozen=True)
class StepPlan:
    """Cuts an epoch's permutation into optimizer steps, a step over processes, and a process's part into micro-batches.

    batch_size is per process and micro-batch, so a full step has batch_size * num_processes * accumulation images:
    the same ones as one process with one batch of that size. The last step may be smaller; it is cut as evenly, and
    left out if drop_last or if it has not an image for every process.

    Raises:
        ValueError: a number below 1, process_index out of range, or no step at all.
    """

    count: int
    batch_size: int
    accumulation: int = 1
    num_processes: int = 1
    process_index: int = 0
    drop_last: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulation", "num_processes"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} must be >= 1")
        if not 0 <= self.process_index < self.num_processes:
            raise UserError(f"process_index={self.process_index} must be in 0..{self.num_processes - 1}")
        if self.steps == 0:
            raise UserError(
                f"{self.count} training images do not fill one step of batch_size={self.batch_size} x accumulation="
                f"{self.accumulation} x {self.num_processes} processes; use a smaller batch"
            )

    @property
    def step_size(self) -> int:
        """Images of a full step."""
        return self.batch_size * self.accumulation * self.num_processes

    @property
    def steps(self) -> int:
        full, rest = divmod(self.count, self.step_size)
        return full + (rest >= self.num_processes and not self.drop_last)

    @property
    def smallest_batch(self) -> int:
        """Images of the smallest micro-batch of an epoch, in any process."""
        rest = self.count % self.step_size
        images = rest if rest >= self.num_processes and not self.drop_last else self.step_size
        share = images // self.num_processes
        return share // min(self.accumulation, share)

    def epoch(self, seed: int, epoch: int, start_step: int = 0) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        """For each step from start_step on: its number of images, and this process's micro-batches of indices."""
        order = permutation(self.count, stream_key(seed, epoch, "order"))
        for step in range(start_step, self.steps):
            images = order[step * self.step_size : (step + 1) * self.step_size]
            mine = images.tensor_split(self.num_processes)[self.process_index]
            yield len(images), mine.tensor_split(min(self.accumulation, len(mine)))
