"""A data set as the rest of the laboratory sees it: uint8 images, int64 labels, names and constants."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from cifar100.base.errors import UserError


@dataclass(frozen=True)
class ImageSet:
    """Images uint8 (N, C, H, W), channels_last in memory, and their labels int64 (N,).

    Images that come from the cache are memory-mapped: reading them costs page faults, not memory. Never write to them.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise UserError(f"images must be uint8 (N, C, H, W), got {self.images.dtype} {tuple(self.images.shape)}")
        labels = self.labels
        if labels.dtype != torch.int64 or labels.shape != self.images.shape[:1]:
            raise UserError(f"labels must be int64 ({len(self.images)},), got {labels.dtype} {tuple(labels.shape)}")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> Self:
        """A contiguous part, sharing memory."""
        return type(self)(self.images[part], self.labels[part])

    def to(self, device: torch.device | str) -> Self:
        return type(self)(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class ImageData:
    """A verified data set with its held-out part.

    superclass_of[c] is the superclass of class c; empty, like superclass_names, where there are none.
    mean and std are constants of the whole training set per channel, in units of the pixel range 0..1.
    fingerprint is the sha256 of names, constants, pixels and labels before the held-out part is taken off, and the same
    whatever file format the images came from.
    """

    name: str
    train: ImageSet
    val: ImageSet | None
    test: ImageSet
    class_names: tuple[str, ...]
    superclass_names: tuple[str, ...]
    superclass_of: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)
