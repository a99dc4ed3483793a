"""The handwritten digits that ship inside scikit-learn: a data set with no download."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.canonical import canonical_order
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.reading import read_known
from cifar100.data.specs import DIGITS, Spec

_TEST_SIZE = 360


def read_digits(
    path: None = None,
    cache_dir: str | None = None,
    val_size: int = 140,
    *,
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

    Raises:
        ValueError: a path (there is none to give), or scikit-learn is not installed or ships other digits.
    """
    if path is not None:
        raise UserError(f"data.path={path}: the digits are part of scikit-learn; leave data.path out")
    return read_known(
        DIGITS,
        _read_sklearn,
        path=None,
        cache_dir=cache_dir,
        val_size=val_size,
        constants={"name": name, "num_classes": num_classes, "in_channels": in_channels, "resolution": resolution},
    )


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
