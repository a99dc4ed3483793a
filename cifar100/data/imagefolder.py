"""The user's own images: a folder per class."""

import re
from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.base.values import check_whole
from cifar100.data.canonical import assemble
from cifar100.data.formats.folders import class_folders, image_files, read_labelled
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.reading import read_cached
from cifar100.data.split import hold_out, keep_images
from cifar100.data.verify import channel_statistics


def read_imagefolder(
    path: str | None = None,
    cache_dir: str | None = None,
    val_size: int = 0,
    *,
    images_per_class: int | None = None,
    name: str = "imagefolder",
    num_classes: int | None = None,
    in_channels: int = 3,
    resolution: int = 32,
) -> ImageData:
    """path/train/<class>/*.png, *.jpg, ... and path/test/<class>/...; path/val in the place of path/test is as good.

    Where both val and test exist, val is the held-out part, and val_size must be 0. The largest centred square of each
    image is scaled to resolution x resolution; in_channels 3 makes colours, 1 makes grey. Mean and deviation are
    those of the training images. name is what records and reports call the data set.

    Raises:
        FileNotFoundError: no such path.
        ValueError: no path, no such folders, a class that is not everywhere, another number of classes than
            num_classes, an unreadable image.
    """
    if path is None:
        raise UserError("data.path is not set: data=imagefolder needs data.path=FOLDER with train/ and test/ in it")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", str(name)):
        raise UserError(f"data.name={name} must be up to 40 letters, digits, - or _")
    if in_channels not in (1, 3):
        raise UserError(f"data.in_channels={in_channels} must be 3 (colour) or 1 (grey)")
    check_whole("data.resolution", resolution)
    data = read_cached(
        name,
        lambda source: _read(Path(path) if source is None else source, name, resolution, in_channels),
        path=path,
        cache_dir=cache_dir,
        variant=f"{resolution} {in_channels} as seen",
    )
    if num_classes != data.num_classes:
        raise UserError(
            f"data.num_classes={num_classes} but {path} has {data.num_classes} classes; "
            f"use data.num_classes={data.num_classes}"
        )
    return keep_images(hold_out(data, val_size), images_per_class)


def _read(folder: Path, name: str, resolution: int, channels: int) -> ImageData:
    places = _places(folder)
    classes = class_folders(places["train"])
    if not classes:
        raise UserError(f"data.path={folder}: no class folders in {places['train']}; expected train/<class>/<image>")
    splits = {split: _read_split(place, classes, resolution, channels) for split, place in places.items()}
    mean, std = channel_statistics(splits["train"].images)
    if min(std) == 0:
        raise UserError(f"data.path={folder}: all training images are of one colour, nothing can be learnt from them")
    rounded = [tuple(round(value, 6) for value in values) for values in (mean, std)]
    return assemble(RawData(splits), name=name, class_names=tuple(classes), mean=rounded[0], std=rounded[1])


def _places(folder: Path) -> dict[str, Path]:
    found = {split: folder / split for split in ("train", "val", "test") if (folder / split).is_dir()}
    if "train" not in found or len(found) == 1:
        raise UserError(f"data.path={folder} must hold the folders train and test (or val), with a folder per class")
    if "test" not in found:
        found["test"] = found.pop("val")
    return found


def _read_split(place: Path, classes: list[str], resolution: int, channels: int) -> RawSplit:
    unknown = sorted(set(class_folders(place)) - set(classes))
    if unknown:
        raise UserError(f"{place / unknown[0]}: no class of that name in train")
    files, labels = [], []
    for label, name in enumerate(classes):
        found = image_files(place / name)
        if not found:
            raise UserError(f"{place / name}: no images of this class")
        files += found
        labels += [label] * len(found)
    return read_labelled(files, labels, resolution, channels, resize=True)
