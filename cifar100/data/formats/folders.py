"""Images as files, in one folder per class."""

import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.formats.decode import decode_images
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.specs import Spec

log = logging.getLogger(__name__)

_MOST_BYTES = 2**28  # of one file
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff"}


def class_folders(folder: Path) -> list[str]:
    """Names of the folders in it, sorted."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def image_files(folder: Path) -> list[Path]:
    """Image files in it and below, sorted; files of other kinds are counted in the log."""
    files = [file for file in files_below(folder) if not file.name.startswith(".")]
    found = sorted(file for file in files if file.suffix.lower() in _SUFFIXES)
    if others := len(files) - len(found):
        kinds = ", ".join(sorted({file.suffix.lower() or "no suffix" for file in files} - _SUFFIXES)[:5])
        log.warning("%s: %d files are left out, since they are no images (%s)", folder, others, kinds)
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Every file in it and below, through linked folders too, each folder once, so that a link upwards ends."""
    seen = set()
    for place, below, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            below.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        yield from (file for name in names if (file := Path(place, name)).is_file())


def read_labelled(
    files: Sequence[Path], labels: Sequence[int], resolution: int, channels: int, resize: bool = False
) -> RawSplit:
    """Decode image files, see decode_images."""
    images = decode_images(Contents(files), resolution, channels, lambda index: str(files[index]), resize)
    return RawSplit(images, np.asarray(labels, np.int64))


def read_class_folders(source: Path, spec: Spec) -> RawData | None:
    """The images of a data set as files, train/<class>/*.png and test/<class>/*.png, their classes called by name or
    number; None where that is not what the folder holds. Whose images they are is for the fingerprint to prove."""
    if not source.is_dir() or not all((source / split).is_dir() for split in spec.per_class):
        return None
    label_of = {str(label): label for label in range(spec.num_classes)}
    label_of |= {name: label for label, name in enumerate(spec.class_names)}
    splits = {}
    for split in spec.per_class:
        files = image_files(source / split)
        names = [re.sub(r"[ -]", "_", file.parent.name.lower()) for file in files]
        labels = [label_of.get(name.lstrip("0") or "0" if name.isdigit() else name) for name in names]
        if None in labels or len(files) != spec.count(split):
            return None
        splits[split] = read_labelled(files, labels, spec.resolution, spec.in_channels)
    return RawData(splits, unproven=True)


class Contents(Sequence[bytes]):
    """Contents of files, each read when it is asked for; of what is no file, itself. Raises UserError for a file that
    is larger than a picture may be, whatever it takes on the disk."""

    def __init__(self, files: Sequence[Path | bytes]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        if isinstance(self._files[index], bytes):
            return self._files[index]
        descriptor = os.open(self._files[index], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UserError("it is no plain file")
            if status.st_size > _MOST_BYTES:
                raise UserError(f"it has {status.st_size} bytes, more than the {_MOST_BYTES} that a picture may have")
            return file.read(status.st_size)
