"""Encoded images (PNG, JPEG, ...) to one uint8 array."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from cifar100.base.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {1: "L", 3: "RGB"}
# Formats that are decoded by libraries within Pillow; some others start programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
_PER_TASK = 250


def decode_images(
    blobs: Sequence[bytes], resolution: int, channels: int, describe: Callable[[int], str], resize: bool = False
) -> np.ndarray:
    """Decode into uint8 (N, resolution, resolution, channels); colours are converted to 1 (grey) or 3 (RGB) channels.

    Without resize, images must have exactly that size, which is checked before pixels are decoded, so that a small file
    cannot ask for much memory. With resize, the largest centred square is scaled bilinearly with antialiasing.
    describe(index) names an image in messages.

    Raises:
        ValueError: an image that cannot be read or has another size.
    """
    from PIL import Image

    mode = _MODES[channels]
    out = np.empty((len(blobs), resolution, resolution, channels), np.uint8)

    def decode(index: int) -> None:
        try:
            with Image.open(io.BytesIO(blobs[index]), formats=_FORMATS) as image:
                size = image.size
                if resize:
                    image = _square(image, resolution)
                if image.size == (resolution, resolution):
                    image = image if image.mode == mode else image.convert(mode)
                    out[index] = np.asarray(image).reshape(out.shape[1:])
        except Exception as error:  # decoders raise whatever a broken file leads them to
            reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            raise UserError(f"{describe(index)} cannot be read ({reason})") from None
        if not resize and size != (resolution, resolution):
            raise UserError(f"{describe(index)} is {size[0]}x{size[1]}, expected {resolution}x{resolution}")

    def decode_range(start: int) -> None:
        for index in range(start, min(start + _PER_TASK, len(blobs))):
            decode(index)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(decode_range, range(0, len(blobs), _PER_TASK)):
            pass
    return out


def _square(image: Image, resolution: int) -> Image:
    from PIL.Image import Resampling

    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")  # palettes cannot be interpolated
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))  # resize(box=...) would blend in what is outside
    return square.resize((resolution, resolution), Resampling.BILINEAR)
