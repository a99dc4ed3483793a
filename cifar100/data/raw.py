"""The result of a file format's reader: arrays as they stand in the files, not yet verified or ordered."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RawSplit:
    """images uint8 (N, H, W, C); labels and superclasses int64 (N,), superclasses only where the source has them."""

    images: np.ndarray
    labels: np.ndarray
    superclasses: np.ndarray | None = None


@dataclass(frozen=True)
class RawData:
    """Splits by name ("train", "test", sometimes "val"), and the class names if the source knows them. ``unproven``:
    the source does not say which labels these are, so only the fingerprint of the published data can."""

    splits: dict[str, RawSplit]
    class_names: tuple[str, ...] = ()
    superclass_names: tuple[str, ...] = ()
    unproven: bool = False
