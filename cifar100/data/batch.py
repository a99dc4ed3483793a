"""A batch, and the data set that makes one whole batch per fetch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cifar100.base.errors import UserError
from cifar100.data.augment import Augment
from cifar100.data.images import ImageSet
from cifar100.data.mixing import Labelled, Mixing, partners


class Batch(NamedTuple):
    """One micro-batch.

    images float32 (n, C, H, W), normalised, channels_last. targets: labels int64 (n,), or shares float32
    (n, num_classes) when images are mixed. labels int64 (n,). step_size: images of the whole optimizer step over all
    processes and micro-batches, so that n / step_size is this one's part in the step's mean loss.
    """

    images: Tensor
    targets: Tensor
    labels: Tensor
    step_size: int

    def to(self, device: torch.device) -> Self:
        """The batch on ``device``, copied without waiting where it is in pinned memory."""
        if self.images.device == device:
            return self
        images, targets, labels = (tensor.to(device, non_blocking=True) for tensor in self[:3])
        return type(self)(images, targets, labels, self.step_size)


class Request(NamedTuple):
    """A sampler's request: the images of one micro-batch."""

    epoch: int
    indices: Tensor
    step_size: int


class BatchDataset(Dataset[Batch]):
    """Fetches, augments and normalises whole batches, on the device where the images are."""

    def __init__(
        self,
        images: ImageSet,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        augment: Augment | None = None,
        seed: int = 0,
        num_classes: int = 0,
    ) -> None:
        pixels = images.images.permute(0, 2, 3, 1)
        height, width, channels = pixels.shape[1:]
        if not (len(mean) == len(std) == channels) or min(std) <= 0:
            raise UserError(f"mean={mean} and std={std} must have {channels} numbers each, std above 0")
        self._pixels, self._labels = pixels.contiguous(), images.labels
        self._augment, self._seed = augment, seed
        self._mixing = None
        if augment is not None and augment.mixes:
            self._mixing = Mixing(augment.mixup_alpha, augment.cutmix_alpha, num_classes)
        # One row of factors per image makes normalising an elementwise pass over contiguous memory.
        factors = [1 / (255 * s) for s in std], [-m / s for m, s in zip(mean, std, strict=True)]
        self._scale, self._offset = (torch.tensor(row, device=pixels.device).repeat(height * width) for row in factors)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitems__(self, request: Request) -> Batch:
        epoch, ids = request.epoch, request.indices.to(self._pixels.device, non_blocking=True)
        images, labels = self._fetch(ids, epoch)
        targets = labels
        if self._mixing is not None:
            other = self._fetch(partners(ids, self._seed, epoch, len(self)), epoch)
            images, targets = self._mixing(Labelled(images, labels), other, ids, self._seed, epoch)
        return Batch(images.permute(0, 3, 1, 2), targets, labels, request.step_size)

    def _fetch(self, ids: Tensor, epoch: int) -> Labelled:
        """Normalised images, each with its own augmentation."""
        pixels = self._pixels.index_select(0, ids)
        if self._augment is not None:
            pixels = self._augment.pixels(pixels, ids, self._seed, epoch)
        images = pixels.flatten(1).float().mul_(self._scale).add_(self._offset).view(pixels.shape)
        if self._augment is not None:
            images = self._augment.normalised(images, ids, self._seed, epoch)
        return Labelled(images, self._labels[ids])


def fetch_together(dataset: BatchDataset, steps: Sequence[Sequence[Request]]) -> Iterator[list[Batch]]:
    """The micro-batches of each of ``steps``, all made at a time.

    Bitwise those that each request would get alone, since an image's augmentation depends on no other image. All
    requests are of one epoch.
    """
    requests = [request for step in steps for request in step]
    whole = dataset.__getitems__(Request(requests[0].epoch, torch.cat([each.indices for each in requests]), 0))
    sizes = [len(request.indices) for request in requests]
    parts = zip(*(tensor.split(sizes) for tensor in whole[:3]), strict=True)
    for step in steps:
        yield [Batch._make((*next(parts), request.step_size)) for request in step]
