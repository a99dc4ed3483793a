"""torchvision's augmentation policies, run as torchvision's, each image from a seed of its own."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cifar100.base.counter import random_bits
from cifar100.base.errors import UserError


class Policy:
    """Applies a torchvision transform of PIL images to every image of a batch.

    The transform draws from torch's global generator: it is seeded before each image and put back after the batch. So
    an image's transformation depends on (key, image) alone, and nobody else's randomness is touched.
    """

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self.transform = transform

    def __call__(self, images: Tensor, ids: Tensor, key: int) -> Tensor:
        """uint8 (n, H, W, C), C 1 or 3, to the same; on the CPU, wherever the images are."""
        import numpy as np
        from PIL import Image

        seeds = random_bits(ids, key).tolist()
        out = np.empty(tuple(images.shape), np.uint8)
        generator = torch.default_generator
        state = generator.get_state()
        try:
            for index, (image, seed) in enumerate(zip(images.cpu().numpy(), seeds, strict=True)):
                generator.manual_seed(seed)
                picture = Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image)
                out[index] = np.asarray(self.transform(picture)).reshape(image.shape)
        finally:
            generator.set_state(state)
        return torch.from_numpy(out).to(images.device)


def autoaugment() -> Policy:
    """AutoAugment's policy for CIFAR-10 (arXiv 1805.09501, table 7), which the paper uses for CIFAR-100, too."""
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    return Policy(AutoAugment(AutoAugmentPolicy.CIFAR10))


def randaugment(num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31) -> Policy:
    """RandAugment (arXiv 1909.13719): num_ops operations per image, all at one magnitude of num_magnitude_bins."""
    if num_ops < 1:
        raise UserError(f"augment.policy.num_ops={num_ops} must be >= 1; use augment=standard for none")
    if not 0 <= magnitude < num_magnitude_bins:
        raise UserError(
            f"augment.policy.magnitude={magnitude} must be in 0..num_magnitude_bins-1={num_magnitude_bins - 1}"
        )
    from torchvision.transforms import RandAugment

    return Policy(RandAugment(num_ops, magnitude, num_magnitude_bins))


def trivialaugment(num_magnitude_bins: int = 31) -> Policy:
    """TrivialAugment Wide (arXiv 2103.10158): one operation per image at a random magnitude."""
    if num_magnitude_bins < 2:
        raise UserError(f"augment.policy.num_magnitude_bins={num_magnitude_bins} must be >= 2; the paper uses 31")
    from torchvision.transforms import TrivialAugmentWide

    return Policy(TrivialAugmentWide(num_magnitude_bins))
