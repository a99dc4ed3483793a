"""Tiny ImageNet: 200 classes of ImageNet at 64x64 (Stanford CS231n, 2015)."""

from pathlib import Path

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.formats.folders import image_files, read_labelled
from cifar100.data.formats.hub import read_hub
from cifar100.data.formats.parquet import Columns, parquet_splits, read_parquet
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.reading import read_known
from cifar100.data.specs import TINY_IMAGENET, Spec

_FOLDER = "tiny-imagenet-200"
_REPOSITORY = "zh-plus/tiny-imagenet"


def read_tiny_imagenet(
    path: str | None = None,
    cache_dir: str | None = None,
    val_size: int = 10000,
    *,
    images_per_class: int | None = None,
    name: str = "tiny_imagenet",
    num_classes: int = 200,
    in_channels: int = 3,
    resolution: int = 64,
) -> ImageData:
    """100,000 training images and, as test images, the 10,000 of the official validation part.

    The labels of the official test part were never published, so it is not read. Classes are numbered by their WordNet
    ids in alphabetical order, and called by them. Grey images are repeated over the channels.

    path: the original `tiny-imagenet-200` folder (or the one around it), or parquet files in the layout of the Hub's
    zh-plus/tiny-imagenet, which is also where null looks, after this project's cache and the local Hugging Face caches.

    Raises:
        FileNotFoundError, ValueError: as cifar.read_cifar100.
    """
    return read_known(
        TINY_IMAGENET,
        _read_source,
        path=path,
        cache_dir=cache_dir,
        val_size=val_size,
        images_per_class=images_per_class,
        constants={"name": name, "num_classes": num_classes, "in_channels": in_channels, "resolution": resolution},
    )


def _read_source(source: Path | None, spec: Spec) -> RawData:
    if source is None:
        return _by_name(read_hub(_REPOSITORY, spec, Columns()))
    if source.is_dir() and (splits := parquet_splits(source)):
        return _by_name(read_parquet(splits, spec, Columns()))
    for folder in (source, source / _FOLDER):
        if (folder / "wnids.txt").is_file():
            return _read_folder(folder, spec)
    raise UserError(
        f"data.path={source} holds no {spec.name}: expected the folder {_FOLDER} with wnids.txt, train and val, or "
        f"train-*.parquet and valid-*.parquet"
    )


def _read_folder(folder: Path, spec: Spec) -> RawData:
    names = tuple(sorted((folder / "wnids.txt").read_text().split()))
    label_of = {name: label for label, name in enumerate(names)}
    train = [(file, label) for name, label in label_of.items() for file in image_files(folder / "train" / name)]
    annotations = folder / "val/val_annotations.txt"
    if not annotations.is_file():
        raise UserError(f"data.path={folder} has no val/val_annotations.txt, which labels the test images")
    test = []
    for line in annotations.read_text().splitlines():
        file, name = (line.split("\t") + [""])[:2]
        if name not in label_of or Path(file).name != file:
            raise UserError(f"{annotations}: {line[:60]!r} names no class of wnids.txt")
        test.append((folder / "val/images" / file, label_of[name]))
    splits = {}
    for split, pairs in (("train", train), ("test", test)):
        if len(pairs) != spec.count(split):
            raise UserError(f"{spec.name}: {len(pairs)} {split} images in {folder}, expected {spec.count(split)}")
        files, labels = zip(*pairs, strict=True)
        splits[split] = read_labelled(files, labels, spec.resolution, spec.in_channels)
    return RawData(splits, names)


def _by_name(raw: RawData) -> RawData:
    """Classes renumbered in the order of their names, as the folder's are."""
    order = sorted(range(len(raw.class_names)), key=lambda label: raw.class_names[label])
    if order == list(range(len(raw.class_names))):
        return raw
    new = np.argsort(order)
    for split in raw.splits.values():
        if split.labels.min() < 0 or split.labels.max() >= len(new):
            return raw  # which verification refuses
    splits = {name: RawSplit(split.images, new[split.labels]) for name, split in raw.splits.items()}
    return RawData(splits, tuple(raw.class_names[label] for label in order))
