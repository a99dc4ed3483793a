"""A trained network with what it takes to name a picture: normalisation and the names of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.values import check_whole


class Guess(NamedTuple):
    """A class that a picture may show, with the probability that the network gives it."""

    name: str
    probability: float


class Classifier(nn.Module):
    """Pixels in, logits out: a network behind the normalisation that it was trained with.

    Args:
        network: maps normalised images ``(n, in_channels, resolution, resolution)`` to logits ``(n, num_classes)``.
        class_names: of the classes, in the order of the logits.
        mean: of the training images per channel, in units of the pixel range 0..1.
        std: their standard deviation, likewise.
        data: what the data set is called.

    Raises:
        UserError: names or constants that are not as many as the network has use for.
    """

    def __init__(
        self,
        network: nn.Module,
        class_names: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        data: str = "",
    ) -> None:
        super().__init__()
        if len(class_names) != network.num_classes or {len(mean), len(std)} != {network.in_channels}:
            raise UserError(
                f"{len(class_names)} class names and {len(mean)} means do not fit a network of {network.num_classes} "
                f"classes and {network.in_channels} channels"
            )
        self.network = network
        self.class_names, self.data = tuple(class_names), data
        self.mean, self.std = tuple(mean), tuple(std)
        self.in_channels, self.resolution = network.in_channels, network.resolution
        # As in cifar100.data.batch, so that the logits are those of an evaluation.
        scale = [1 / (255 * each) for each in std]
        offset = [-m / s for m, s in zip(mean, std, strict=True)]
        self.register_buffer("scale", torch.tensor(scale).view(-1, 1, 1), persistent=False)
        self.register_buffer("offset", torch.tensor(offset).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(n, classes)`` float32 of uint8 pixels ``(n, in_channels, resolution, resolution)``."""
        return self.network(self.normalised(images))

    def normalised(self, images: Tensor) -> Tensor:
        """The network's own input for uint8 pixels: float32 of the same shape."""
        return images.float().mul(self.scale).add(self.offset)

    @torch.inference_mode()
    def predict(self, images: Tensor, *, top: int = 5, batch_size: int = 128) -> list[list[Guess]]:
        """The most probable classes of each image, the first first.

        Args:
            images: uint8 pixels ``(n, in_channels, resolution, resolution)``.
            top: how many classes; all where there are fewer.
            batch_size: images per forward pass.

        Raises:
            UserError: images of another kind or size, in one line.
        """
        wanted = (self.in_channels, self.resolution, self.resolution)
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != wanted:
            raise UserError(
                f"images must be uint8 (n, {', '.join(map(str, wanted))}), got {images.dtype} {tuple(images.shape)}; "
                "pass files, PIL images or arrays to have them scaled"
            )
        check_whole("top", top, cure=", such as 5")
        self.eval()
        guesses = []
        for part in images.to(self.scale.device).split(batch_size):
            part = part.contiguous(memory_format=torch.channels_last)
            best = self(part).double().softmax(dim=1).topk(min(top, len(self.class_names)))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            guesses += [[Guess(self.class_names[i], p) for i, p in zip(*pair, strict=True)] for pair in pairs]
        return guesses
