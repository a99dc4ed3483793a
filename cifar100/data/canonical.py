"""One order and one fingerprint for a data set, whatever file it came from."""

import hashlib
import json

import numpy as np
import torch

from cifar100.data.images import ImageData, ImageSet
from cifar100.data.raw import RawData, RawSplit


def assemble(
    raw: RawData,
    *,
    name: str,
    class_names: tuple[str, ...],
    superclass_names: tuple[str, ...] = (),
    superclass_of: tuple[int, ...] = (),
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> ImageData:
    """Put a verified source into canonical order and fingerprint it."""
    splits = {split: _ordered(raw.splits[split]) for split in ("train", "val", "test") if split in raw.splits}
    data = ImageData(
        name=name,
        train=splits["train"],
        val=splits.get("val"),
        test=splits["test"],
        class_names=class_names,
        superclass_names=superclass_names,
        superclass_of=superclass_of,
        mean=mean,
        std=std,
        fingerprint="",
    )
    return ImageData(**{**vars(data), "fingerprint": fingerprint(data)})


def canonical_order(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices (N,) of the order in which every prefix is a stratified sample.

    Within a class images are ranked by the sha256 of their pixels, which is as good as a random order and the same
    for every source; then classes are interleaved: image r of a class of n stands at (r + 1/2) / n, ties by class.
    So the first k images hold every class in proportion, to less than one image, and exactly where k is a
    multiple of the number of equally large classes.
    """
    digests = np.frombuffer(b"".join(hashlib.sha256(image).digest() for image in images), "S32")
    by_class = np.lexsort((digests, labels))
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    sorted_labels = labels[by_class]
    rank = np.arange(len(labels)) - starts[sorted_labels]
    position = (rank + 0.5) / counts[sorted_labels]
    return by_class[np.lexsort((sorted_labels, position))]


def description(data: ImageData) -> str:
    """Everything but the tensors, as canonical JSON."""
    names = ("name", "class_names", "superclass_names", "superclass_of", "mean", "std")
    return json.dumps({name: getattr(data, name) for name in names}, sort_keys=True)


def fingerprint(data: ImageData) -> str:
    """sha256 (hex) of the description and of every split's shape, pixels (N, H, W, C) and labels."""
    digest = hashlib.sha256(description(data).encode())
    for name, split in split_sets(data).items():
        images = split.images.permute(0, 2, 3, 1)
        digest.update(f"{name} {tuple(images.shape)}".encode())
        digest.update(images.contiguous().numpy())
        digest.update(split.labels.numpy())
    return digest.hexdigest()


def split_sets(data: ImageData) -> dict[str, ImageSet]:
    """The splits that there are, by name, in a fixed order."""
    sets = {"train": data.train, "val": data.val, "test": data.test}
    return {name: split for name, split in sets.items() if split is not None}


def _ordered(split: RawSplit) -> ImageSet:
    order = canonical_order(split.images, split.labels)
    images = torch.from_numpy(split.images[order]).permute(0, 3, 1, 2)
    return ImageSet(images, torch.from_numpy(split.labels[order]))
