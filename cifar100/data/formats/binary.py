"""The binary version of CIFAR: records of one or two label bytes and 3,072 pixels, plane by plane."""

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.raw import RawSplit
from cifar100.data.specs import Spec


def read_records(files: list[bytes], spec: Spec, split: str) -> RawSplit:
    """Records are (class, pixels), or (superclass, class, pixels) where the data set has superclasses."""
    label_bytes, length = 2 if spec.superclass_of else 1, sum(map(len, files))
    size = label_bytes + spec.in_channels * spec.resolution**2
    if length != size * spec.count(split):
        raise UserError(
            f"{spec.name}: the binary {split} files have {length} bytes, expected {spec.count(split)} records of {size}"
        )
    records = np.frombuffer(b"".join(files), np.uint8).reshape(-1, size)
    labels = records[:, label_bytes - 1].astype(np.int64)
    superclasses = records[:, 0].astype(np.int64) if label_bytes == 2 else None
    return RawSplit(planes_to_images(records[:, label_bytes:], spec), labels, superclasses)


def planes_to_images(pixels: np.ndarray, spec: Spec) -> np.ndarray:
    """uint8 (N, C*H*W) as in the original files to (N, H, W, C)."""
    planes = pixels.reshape(-1, spec.in_channels, spec.resolution, spec.resolution)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
