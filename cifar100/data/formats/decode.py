"""Encoded images (PNG, JPEG) to one uint8 array."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

MODES = {1: "L", 3: "RGB"}


def decode_images(blobs: Sequence[bytes], resolution: int, channels: int, where: str, first: int = 0) -> np.ndarray:
    """Decode images of exactly resolution x resolution into uint8 (N, H, W, C).

    Grey images of a colour data set are repeated over the channels. Sizes are checked before pixels are decoded, so
    that a small file cannot ask for a large amount of memory. `first` is the row number of the first image in `where`,
    for messages.

    Raises:
        ValueError: an image that cannot be read or has another size.
    """
    from PIL import Image

    out = np.empty((len(blobs), resolution, resolution, channels), np.uint8)
    mode = MODES[channels]

    def decode(index: int) -> None:
        try:
            image = Image.open(io.BytesIO(blobs[index]))
            size = image.size
            if size == (resolution, resolution):
                out[index] = np.asarray(image.convert(mode)).reshape(out.shape[1:])
        except Exception as error:  # decoders raise whatever a broken file leads them to
            raise ValueError(f"{where}: image {first + index} cannot be read ({_line(error)})") from None
        if size != (resolution, resolution):
            raise ValueError(
                f"{where}: image {first + index} is {size[0]}x{size[1]}, expected {resolution}x{resolution}"
            )

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(decode, range(len(blobs)), chunksize=64):
            pass
    return out


def _line(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0][:120] if text else type(error).__name__
