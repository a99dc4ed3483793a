"""Images as files, in one folder per class."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cifar100.data.formats.decode import decode_images
from cifar100.data.raw import RawSplit

log = logging.getLogger(__name__)

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
        stat = os.stat(place)
        if (stat.st_dev, stat.st_ino) in seen:
            below.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        yield from (file for name in names if (file := Path(place, name)).is_file())


def read_labelled(
    files: Sequence[Path], labels: Sequence[int], resolution: int, channels: int, resize: bool = False
) -> RawSplit:
    """Decode image files, see decode_images."""
    images = decode_images(_Contents(files), resolution, channels, lambda index: str(files[index]), resize)
    return RawSplit(images, np.asarray(labels, np.int64))


class _Contents(Sequence[bytes]):
    """Contents of files, each read when it is asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        return self._files[index].read_bytes()
