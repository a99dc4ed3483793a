"""Checks of a source against the published facts of its data set; each mismatch is one line."""

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.specs import Spec


def verify(raw: RawData, spec: Spec) -> None:
    """ValueError if shape, dtype, label range, images per class, names, superclasses or channel statistics differ."""
    for name in spec.per_class:
        if name not in raw.splits:
            raise UserError(f"{spec.name}: the source has no {name} images")
        verify_split(raw.splits[name], spec, name)
    _verify_names(raw.class_names, spec.class_names, spec.name, "class")
    _verify_names(raw.superclass_names, spec.superclass_names, spec.name, "superclass")
    if raw.class_names and len(raw.class_names) != spec.num_classes:
        raise UserError(f"{spec.name}: {len(raw.class_names)} class names, expected {spec.num_classes}")
    mean, std = channel_statistics(raw.splits["train"].images)
    for what, found, known in (("mean", mean, spec.mean), ("standard deviation", std, spec.std)):
        if max(abs(f - k) for f, k in zip(found, known, strict=True)) > spec.tolerance:
            raise UserError(
                f"{spec.name}: channel {what} of the training images is {_rounded(found)}, expected {known} "
                f"within {spec.tolerance}: these are not the original images"
            )


def verify_split(split: RawSplit, spec: Spec, name: str) -> None:
    """ValueError unless the arrays of one split are what the spec says."""
    where = f"{spec.name}: {name}"
    shape = (spec.count(name), spec.resolution, spec.resolution, spec.in_channels)
    if split.images.dtype != np.uint8 or split.images.shape != shape:
        raise UserError(f"{where} images are {split.images.dtype} {split.images.shape}, expected uint8 {shape}")
    verify_labels(split.labels, len(split.images), spec.num_classes, f"{where} labels")
    counts = np.bincount(split.labels, minlength=spec.num_classes)
    for label, (found, known) in enumerate(zip(counts.tolist(), spec.counts(name), strict=True)):
        if found != known:
            label_name = f" ({spec.class_names[label]})" if spec.class_names else ""
            raise UserError(f"{where}: class {label}{label_name} has {found} images, expected {known}")
    if split.superclasses is not None and spec.superclass_of:
        verify_labels(split.superclasses, len(split.images), len(spec.superclass_names), f"{where} superclasses")
        wrong = np.flatnonzero(np.asarray(spec.superclass_of)[split.labels] != split.superclasses)
        if len(wrong):
            row = int(wrong[0])
            raise UserError(
                f"{where}: image {row} has class {int(split.labels[row])} but superclass {int(split.superclasses[row])}"
            )


def verify_labels(labels: np.ndarray, count: int, num_classes: int, where: str) -> None:
    """ValueError unless labels are int64 (count,) in 0..num_classes-1."""
    if labels.dtype != np.int64 or labels.shape != (count,):
        raise UserError(f"{where} are {labels.dtype} {labels.shape}, expected int64 ({count},)")
    if count and not (0 <= labels.min() and labels.max() < num_classes):
        raise UserError(f"{where} span {labels.min()}..{labels.max()}, expected 0..{num_classes - 1}")


def channel_statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and population standard deviation per channel of uint8 (N, H, W, C), in 0..1; exact, from histograms."""
    channels = images.shape[-1]
    histogram = np.zeros((channels, 256), np.int64)
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000]
        for channel in range(channels):
            histogram[channel] += np.bincount(part[..., channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean = histogram @ levels / histogram.sum(1)
    variance = (histogram * (levels - mean[:, None]) ** 2).sum(1) / histogram.sum(1)
    return tuple(mean.tolist()), tuple(np.sqrt(variance).tolist())


def _verify_names(found: tuple[str, ...], known: tuple[str, ...], where: str, what: str) -> None:
    if not found or not known:
        return
    if len(found) != len(known):
        raise UserError(f"{where}: {len(found)} {what} names, expected {len(known)}")
    for index, (name, expected) in enumerate(zip(found, known, strict=True)):
        if name != expected:
            raise UserError(f"{where}: {what} {index} is called {name[:40]!r}, expected {expected!r}")


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values)
