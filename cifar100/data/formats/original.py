"""The two original forms of CIFAR-10 and CIFAR-100, as folder or archive: Python pickles, and binary records."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.formats.archive import read_files
from cifar100.data.formats.binary import planes_to_images, read_records
from cifar100.data.formats.pickled import load_arrays
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.specs import Spec


@dataclass(frozen=True)
class Layout:
    """Names of one data set's folders, files and keys. meta files are (classes, superclasses) or just (classes,)."""

    python_folder: str
    binary_folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    python_meta: str
    binary_meta: tuple[str, ...]
    label_keys: tuple[str, ...]
    name_keys: tuple[str, ...]

    def python_files(self) -> tuple[str, ...]:
        return (*self.train, *self.test, self.python_meta)

    def binary_files(self) -> tuple[str, ...]:
        return (*(f"{name}.bin" for name in (*self.train, *self.test)), *self.binary_meta)


CIFAR100_LAYOUT = Layout(
    python_folder="cifar-100-python",
    binary_folder="cifar-100-binary",
    train=("train",),
    test=("test",),
    python_meta="meta",
    binary_meta=("fine_label_names.txt", "coarse_label_names.txt"),
    label_keys=("fine_labels", "coarse_labels"),
    name_keys=("fine_label_names", "coarse_label_names"),
)
CIFAR10_LAYOUT = Layout(
    python_folder="cifar-10-batches-py",
    binary_folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test=("test_batch",),
    python_meta="batches.meta",
    binary_meta=("batches.meta.txt",),
    label_keys=("labels",),
    name_keys=("label_names",),
)


def read_original(source: Path, layout: Layout, spec: Spec) -> RawData | None:
    """Read whichever of the two forms source holds; None if neither.

    Raises:
        ValueError: a file of it is damaged or hostile, in one line.
    """
    if files := read_files(source, layout.python_folder, layout.python_files()):
        return _read_python(files, layout, spec)
    if files := read_files(source, layout.binary_folder, layout.binary_files()):
        return _read_binary(files, layout, spec)
    return None


def _read_python(files: dict[str, bytes], layout: Layout, spec: Spec) -> RawData:
    meta = load_arrays(files[layout.python_meta], layout.python_meta)
    names = [tuple(_entry(meta, key, list, layout.python_meta)) for key in layout.name_keys]
    splits = {}
    for split, parts in (("train", layout.train), ("test", layout.test)):
        loaded = [load_arrays(files[name], name) for name in parts]
        pixels = [_pixels(batch, name, spec) for batch, name in zip(loaded, parts, strict=True)]
        if sum(map(len, pixels)) != spec.count(split):  # before they are copied
            raise UserError(f"{spec.name}: {sum(map(len, pixels))} {split} images, expected {spec.count(split)}")
        labels = [
            np.concatenate([_labels(batch, key, name) for batch, name in zip(loaded, parts, strict=True)])
            for key in layout.label_keys
        ]
        splits[split] = RawSplit(planes_to_images(np.concatenate(pixels), spec), *labels)
    return RawData(splits, *names)


def _read_binary(files: dict[str, bytes], layout: Layout, spec: Spec) -> RawData:
    splits = {
        split: read_records([files[f"{name}.bin"] for name in parts], spec, split)
        for split, parts in (("train", layout.train), ("test", layout.test))
    }
    names = [tuple(files[name].decode("utf-8", "replace").split()) for name in layout.binary_meta]
    return RawData(splits, *names)


def _entry(loaded: dict[str, Any], key: str, kind: type, where: str) -> Any:
    if not isinstance(loaded.get(key), kind):
        raise UserError(f"{where}: has no {key} of type {kind.__name__}")
    return loaded[key]


def _pixels(loaded: dict[str, Any], where: str, spec: Spec) -> np.ndarray:
    pixels = _entry(loaded, "data", np.ndarray, where)
    size = spec.in_channels * spec.resolution**2
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != size:
        raise UserError(f"{where}: data is {pixels.dtype} {pixels.shape}, expected uint8 (N, {size})")
    return pixels


def _labels(loaded: dict[str, Any], key: str, where: str) -> np.ndarray:
    values = loaded.get(key)
    if isinstance(values, list) and all(type(value) is int and abs(value) < 2**31 for value in values):
        return np.array(values, np.int64)
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iu":
        return values.astype(np.int64)
    raise UserError(f"{where}: has no {key} that are a list of whole numbers")
