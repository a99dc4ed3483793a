"""Encoded images (PNG, JPEG, ...) to one uint8 array."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cifar100.base.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {1: "L", 3: "RGB"}
# Formats that are decoded by libraries within Pillow; some others start programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
_PER_TASK = 250
_MOST_PIXELS = 50_000_000  # of a picture that is scaled down
_LARGE_PIXELS = 4_000_000  # of one that is decoded alone: eight at once, each with copies, would take gigabytes


def decode_images(
    blobs: Sequence[bytes], resolution: int, channels: int, describe: Callable[[int], str], resize: bool = False
) -> np.ndarray:
    """Decode into uint8 (N, resolution, resolution, channels); colours are converted to 1 (grey) or 3 (RGB) channels.

    Images are taken as they are seen: turned as their EXIF orientation says, 16 bits of grey scaled to 8. Refused is
    what has no one look: pixels that are transparent, and numbers that are no grey levels.

    Without resize, images must have exactly that size, which is checked before pixels are decoded, so that a small file
    cannot ask for much memory. With resize, the largest centred square is scaled bilinearly with antialiasing.
    describe(index) names an image in messages.

    Raises:
        ValueError: an image that cannot be read or has another size.
    """
    from PIL import Image, UnidentifiedImageError

    mode, alone = _MODES[channels], Lock()
    out = np.empty((len(blobs), resolution, resolution, channels), np.uint8)

    def decode(index: int) -> None:
        try:
            with Image.open(io.BytesIO(blobs[index]), formats=_FORMATS) as image:
                size = image.size
                if resize and size[0] * size[1] > _MOST_PIXELS:
                    raise UserError(f"{size[0]}x{size[1]} pixels, more than {_MOST_PIXELS:,}; scale it down")
                if resize or size == (resolution, resolution):
                    with alone if size[0] * size[1] > _LARGE_PIXELS else nullcontext():
                        image = _square(_as_seen(image), resolution) if resize else _as_seen(image)
                    image = image if image.mode == mode else image.convert(mode)
                    out[index] = np.asarray(image).reshape(out.shape[1:])
        except UnidentifiedImageError:
            raise UserError(f"{describe(index)} cannot be read (it is no {', '.join(_FORMATS)})") from None
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


def _as_seen(image: Image) -> Image:
    """The image in 8 bits, upright. Raises ValueError where that is nobody's to decide but the user's."""
    from PIL.ImageOps import exif_transpose

    image = exif_transpose(image)
    if image.mode in ("I;16", "I;16L", "I;16B", "I"):
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise UserError("its numbers are no grey levels of 16 bits; save it with 8 bits")
        return _grey(levels)
    if image.mode == "F":
        raise UserError("its floating point numbers have no known range; save it with 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            raise UserError("it has transparent pixels; paint it over a background first")
        image = image.convert("RGB")
    return image


def _grey(levels: np.ndarray) -> Image:
    from PIL import Image

    return Image.fromarray(((levels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8))


def _square(image: Image, resolution: int) -> Image:
    from PIL.Image import Resampling

    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")  # palettes cannot be interpolated
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))  # resize(box=...) would blend in what is outside
    return square.resize((resolution, resolution), Resampling.BILINEAR)
