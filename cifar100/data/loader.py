"""Loaders of training and evaluation batches: a torch DataLoader of which every fetch is a whole batch."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cifar100.base.errors import UserError
from cifar100.data.augment import Augment
from cifar100.data.batch import Batch, BatchDataset, Request, fetch_together
from cifar100.data.images import ImageSet
from cifar100.data.plan import StepPlan

# On a GPU a batch costs its many small kernels' launches, so the images of several steps are made at a time.
BUNCH = 32  # steps
BUNCH_BYTES = 2**28  # of float32 images, at most


class TrainLoader:
    """Optimizer steps of augmented batches.

    The order of images depends on (seed, epoch) only, an image's augmentation on (seed, epoch, image) only: not on
    workers, processes, batch size, or where a run was interrupted. See plan.StepPlan for how steps are cut.

    device: where batches are wanted. Without workers the images live there and everything is computed there, on a GPU
        that has room for the uint8 data set for BUNCH steps at a time.
    num_workers: worker processes on CPUs; 0 is enough, as fetching a batch costs well under a millisecond, but for
        torchvision's policies. A GPU gets their batches through pinned memory.

    Raises:
        ValueError: as StepPlan and Augment.check.
    """

    def __init__(
        self,
        images: ImageSet,
        augment: Augment,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        num_classes: int,
        seed: int,
        batch_size: int,
        accumulation: int = 1,
        num_processes: int = 1,
        process_index: int = 0,
        drop_last: bool = False,
        num_workers: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        augment.check(min(images.images.shape[2:]), images.images.shape[1])
        _check_workers(num_workers)
        self._device = torch.device(device)
        # Apple's GPUs lack the float64 of the draws.
        self._home = torch.device("cpu") if num_workers or self._device.type == "mps" else self._device
        self._plan = StepPlan(len(images), batch_size, accumulation, num_processes, process_index, drop_last)
        self._seed, self._num_workers = seed, num_workers
        self._dataset = BatchDataset(
            images.to(self._home), mean=mean, std=std, augment=augment, seed=seed, num_classes=num_classes
        )
        step_bytes = 4 * images.images[0].numel() * batch_size * accumulation
        self._bunch = max(1, min(BUNCH, BUNCH_BYTES // step_bytes))

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps."""
        return self._plan.steps

    @property
    def smallest_batch(self) -> int:
        """Images of the smallest micro-batch."""
        return self._plan.smallest_batch

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[list[Batch]]:
        """The steps of an epoch from start_step on, each the list of this process's micro-batches."""
        steps = [
            [Request(epoch, indices, step_size) for indices in parts]
            for step_size, parts in self._plan.epoch(self._seed, epoch, start_step)
        ]
        if self._home.type != "cpu":
            for start in range(0, len(steps), self._bunch):
                yield from fetch_together(self._dataset, steps[start : start + self._bunch])
            return
        requests = [request for step in steps for request in step]
        batches = iter(_data_loader(self._dataset, requests, self._num_workers, self._device))
        for step in steps:
            yield [next(batches).to(self._device) for _ in step]


class EvalLoader:
    """Every image exactly once over all processes, in order, normalised and nothing else.

    Process p reads the p-th of num_processes contiguous parts; parts differ by one image at most, nothing is padded.
    step_size of a batch is its own number of images.
    """

    def __init__(
        self,
        images: ImageSet,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        batch_size: int,
        num_processes: int = 1,
        process_index: int = 0,
        num_workers: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch_size < 1:
            raise UserError(f"batch_size={batch_size} must be >= 1")
        if not 0 <= process_index < num_processes:
            raise UserError(f"process_index={process_index} must be in 0..{num_processes - 1}")
        _check_workers(num_workers)
        self.indices: Tensor = torch.arange(len(images)).tensor_split(num_processes)[process_index]
        self._requests = [Request(0, part, len(part)) for part in self.indices.split(batch_size) if len(part)]
        # Nothing is augmented here, so workers have nothing to do for images that live on a GPU.
        self._num_workers = num_workers if torch.device(device).type == "cpu" else 0
        self._dataset = BatchDataset(images.to(device), mean=mean, std=std)

    def __len__(self) -> int:
        """Batches of this process."""
        return len(self._requests)

    def __iter__(self) -> Iterator[Batch]:
        return iter(_data_loader(self._dataset, self._requests, self._num_workers))


def _check_workers(num_workers: int) -> None:
    if num_workers < 0:
        raise UserError(f"num_workers={num_workers} must be >= 0; 0 fetches in the training process")


def _data_loader(
    dataset: BatchDataset, requests: Sequence[Request], num_workers: int, device: torch.device | str = "cpu"
) -> DataLoader[Any]:
    # A generator of its own: without one, DataLoader draws from torch's global generator at every start, and a run that
    # starts once more than another would differ from it in dropout and drop path.
    return DataLoader(
        dataset,
        batch_sampler=requests,
        num_workers=num_workers,
        collate_fn=_as_is,
        generator=torch.Generator(),
        pin_memory=torch.device(device).type == "cuda",
    )


def _as_is(batch: Batch) -> Batch:
    return batch
