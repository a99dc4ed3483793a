"""The handwritten digits that ship inside scikit-learn: a data set with no download."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from cifar100.base.errors import UserError
from cifar100.data.canonical import canonical_order, fingerprint
from cifar100.data.images import ImageData, ImageSet
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.reading import read_known
from cifar100.data.specs import DIGITS, Spec
from cifar100.data.split import hold_out, keep_images
from cifar100.data.verify import channel_statistics

_TEST_SIZE = 360
_LARGEST = 128  # a record, which is data of anybody, may ask for it


def read_digits(
    path: None = None,
    cache_dir: str | None = None,
    val_size: int = 140,
    *,
    images_per_class: int | None = None,
    name: str = "digits",
    num_classes: int = 10,
    in_channels: int = 1,
    resolution: int = 8,
) -> ImageData:
    """1,797 scans of handwritten digits, 8x8 grey, ten classes of 174 to 183.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998, the part that
    scikit-learn ships. Its 17 grey levels 0..16 are spread over 0..255. The data set has no test part of its own:
    the first 360 images in canonical order, 20% and 35 to 37 of each class, are the test part here, and the
    other 1,437 the training part. Figures on it compare with no published ones.

    For networks of other images, ``resolution`` up to 128 scales them bicubically and ``in_channels=3`` repeats the
    grey; order and parts stay those of the scans.

    Raises:
        ValueError: a path (there is none to give), another resolution or number of channels, or scikit-learn is not
            installed or ships other digits.
    """
    if path is not None:
        raise UserError(f"data.path={path}: the digits are part of scikit-learn; leave data.path out")
    if in_channels not in (1, 3):
        raise UserError(f"data.in_channels={in_channels} must be 1 (grey) or 3 (the grey three times)")
    if not isinstance(resolution, int) or not DIGITS.resolution <= resolution <= _LARGEST:
        raise UserError(f"data.resolution={resolution} must be a whole number from {DIGITS.resolution} to {_LARGEST}")
    constants = {"name": name, "num_classes": num_classes}
    data = read_known(DIGITS, _read_sklearn, path=None, cache_dir=cache_dir, val_size=0, constants=constants)
    if (in_channels, resolution) != (DIGITS.in_channels, DIGITS.resolution):
        data = _scaled(data, in_channels, resolution)
    return keep_images(hold_out(data, val_size), images_per_class)


def _scaled(data: ImageData, channels: int, resolution: int) -> ImageData:
    """By Pillow, whose integers are the same on every machine, as fingerprints must be."""
    from PIL import Image

    def scaled(images: ImageSet) -> ImageSet:
        size, method = (resolution, resolution), Image.Resampling.BICUBIC
        large = np.stack([np.asarray(Image.fromarray(each[0].numpy()).resize(size, method)) for each in images.images])
        repeated = np.ascontiguousarray(np.repeat(large[..., None], channels, axis=-1))
        return ImageSet(torch.from_numpy(repeated).permute(0, 3, 1, 2), images.labels)

    train, test = scaled(data.train), scaled(data.test)
    mean, std = channel_statistics(train.images.permute(0, 2, 3, 1).numpy())
    rounded = [tuple(round(value, 4) for value in values) for values in (mean, std)]
    data = replace(data, train=train, test=test, mean=rounded[0], std=rounded[1])
    return replace(data, fingerprint=fingerprint(data))


def _read_sklearn(_: Path | None, __: Spec) -> RawData:
    try:
        version("scikit-learn")
    except PackageNotFoundError:
        raise UserError("data=digits reads scikit-learn's digits: pip install scikit-learn") from None
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = digits.target.astype(np.int64)
    order = canonical_order(images, labels)
    test, train = order[:_TEST_SIZE], order[_TEST_SIZE:]
    return RawData({"train": RawSplit(images[train], labels[train]), "test": RawSplit(images[test], labels[test])})
