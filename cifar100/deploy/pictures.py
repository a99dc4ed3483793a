"""Pictures of the user's own as the pixels that a network was trained on, from files or from memory."""

from __future__ import annotations

import glob
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cifar100.base.errors import UserError
from cifar100.base.text import nearest
from cifar100.data.formats.decode import decode_images
from cifar100.data.formats.folders import Contents, image_files


def find_pictures(images: Any) -> list[Path]:
    """The picture files that a file, a folder, a glob or a list of these means; of a folder all in it and below.

    Raises:
        UserError: a name that means no picture, with names that come near.
    """
    found: dict[Path, None] = {}
    for each in [images] if isinstance(images, str | Path) else images:
        path = Path(each).expanduser()
        files = image_files(path) if path.is_dir() else [path] if path.is_file() else _matching(path)
        if not files:
            raise UserError(f"images={each} names no picture{_near(path)}")
        found |= dict.fromkeys(files)
    return list(found)


def _matching(pattern: Path) -> list[Path]:
    paths = (Path(match) for match in sorted(glob.glob(str(pattern), recursive=True)))
    return [file for path in paths for file in (image_files(path) if path.is_dir() else [path])]


def _near(path: Path) -> str:
    if path.is_dir():
        return "; there are no picture files in it"
    folder = path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return f"; {folder} is no folder"
    close = nearest(path.name, names)
    return f"; did you mean {' or '.join(str(folder / name) for name in close)}?" if close else ""


def pixels(images: Any, resolution: int, channels: int) -> tuple[Tensor, list[str]]:
    """Pixels uint8 ``(n, channels, resolution, resolution)`` and a name for each image.

    Args:
        images: files (see :func:`find_pictures`), a PIL image, an array uint8 ``(h, w)`` or ``(h, w, channels)``, or a
            list of any of these; or a tensor uint8 ``(channels, resolution, resolution)`` or with one more dimension.
        resolution: the largest centred square of a picture is scaled to this many pixels a side, as
            ``data=imagefolder`` does.
        channels: 3 reads in colour, 1 in grey.

    Raises:
        UserError: a name that means no picture, or what cannot be read as one, in one line.
    """
    if isinstance(images, Tensor):
        batch = images if images.ndim == 4 else images.unsqueeze(0)
        return batch, [f"image {number}" for number in range(len(batch))]
    single = isinstance(images, str | Path) or not isinstance(images, Sequence)
    blobs: list[Path | bytes] = []
    names: list[str] = []
    for each in [images] if single else images:
        if isinstance(each, str | Path):
            files = find_pictures(each)
            blobs += files
            names += map(str, files)
        else:
            blobs.append(_encoded(each))
            names.append(f"image {len(names)}")
    if not blobs:
        raise UserError("images is empty; name a picture, a folder or a glob")
    decoded = decode_images(Contents(blobs), resolution, channels, lambda index: names[index], resize=True)
    return torch.from_numpy(decoded).permute(0, 3, 1, 2), names


def _encoded(image: Any) -> bytes:
    """A picture in memory as a PNG file, so that it is read as any other."""
    from PIL import Image

    if not isinstance(image, Image.Image):
        array = np.asarray(image)
        if array.dtype != np.uint8 or array.ndim not in (2, 3):
            raise UserError(
                f"images holds a {type(image).__name__} of {array.dtype} {array.shape}; pass files, PIL images, or "
                "arrays uint8 (h, w) or (h, w, 3)"
            )
        image = Image.fromarray(array.squeeze(2) if array.ndim == 3 and array.shape[2] == 1 else array)
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F"):  # which PNG does not have
        image = image.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
