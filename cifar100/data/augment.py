"""Augmentation of a batch as one tensor; each image's own draws come from a counter (see counter.py)."""

from dataclasses import dataclass

from torch import Tensor

from cifar100.base.counter import random_below, stream_key
from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, is_number
from cifar100.data.crop import crop_and_flip
from cifar100.data.cutout import cutout
from cifar100.data.policies import Policy


@dataclass(frozen=True)
class Augment:
    """The augmentation of training images: crop, flip, policy, then normalisation, then cutout and mixing.

    padding: black pixels around an image before a crop of its own size (0: no crop). flip: mirror every second image.
    policy: one of torchvision's, see policies.py. cutout: side of a square of zeros after normalisation (0: none).
    mixup_alpha, cutmix_alpha: parameter of the Beta distribution of the mixing share, 0 for none; with both, a fair
    coin per image decides, see mixing.py.

    Raises:
        ValueError: a negative number.
    """

    padding: int = 4
    flip: bool = True
    policy: Policy | None = None
    cutout: int = 0
    mixup_alpha: float = 0.0
    cutmix_alpha: float = 0.0

    def __post_init__(self) -> None:
        for name, kind in (("padding", int), ("cutout", int), ("mixup_alpha", float), ("cutmix_alpha", float)):
            value = getattr(self, name)
            if not is_number(value) or not isinstance(value, int | kind) or not 0 <= value < float("inf"):
                what = "whole pixels" if kind is int else "a number"
                raise UserError(f"augment.{name}={value} must be {what} >= 0; use augment.{name}=0 for none")
        check_flag("augment.flip", self.flip)

    @property
    def mixes(self) -> bool:
        return self.mixup_alpha > 0 or self.cutmix_alpha > 0

    def check(self, resolution: int, channels: int) -> None:
        """ValueError if images of this size cannot be augmented so."""
        if self.padding >= resolution:
            raise UserError(f"augment.padding={self.padding} must be below the images' size of {resolution} pixels")
        if self.cutout >= 2 * resolution:
            raise UserError(f"augment.cutout={self.cutout} must be below twice the images' {resolution} pixels")
        if self.policy is not None and channels not in (1, 3):
            raise UserError(
                f"augment.policy needs 1 or 3 channels, the images have {channels}; use augment.policy=null"
            )

    def pixels(self, images: Tensor, ids: Tensor, seed: int, epoch: int) -> Tensor:
        """uint8 (n, H, W, C) to the same; ids int64 (n,) are the images' indices in the data set, on their device."""

        def offsets(what: str) -> Tensor:
            return random_below(ids, stream_key(seed, epoch, what), 2 * self.padding + 1)

        if self.padding or self.flip:
            flip = random_below(ids, stream_key(seed, epoch, "flip"), 2) == 1 if self.flip else None
            images = crop_and_flip(images, offsets("top"), offsets("left"), flip, self.padding)
        if self.policy is not None:
            images = self.policy(images, ids, stream_key(seed, epoch, "policy"))
        return images

    def normalised(self, images: Tensor, ids: Tensor, seed: int, epoch: int) -> Tensor:
        """float32 (n, H, W, C), what is done after normalisation to an image on its own."""
        return cutout(images, ids, stream_key(seed, epoch, "cutout"), self.cutout) if self.cutout else images
