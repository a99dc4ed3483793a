"""Images as files, in one folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cifar100.data.formats.decode import decode_images
from cifar100.data.raw import RawSplit

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff"}


def class_folders(folder: Path) -> list[str]:
    """Names of the folders in it, sorted."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def image_files(folder: Path) -> list[Path]:
    """Image files in it and below, sorted."""
    return sorted(
        file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
    )


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
