"""Sources are held to the published facts, one line per mismatch."""

from dataclasses import replace

import numpy as np
import pytest

from cifar100.data.raw import RawData
from cifar100.data.specs import CIFAR10, CIFAR100, DIGITS, TINY_IMAGENET
from cifar100.data.verify import channel_statistics, verify


def edit(raw: RawData, split: str, **changes) -> RawData:
    part = raw.splits[split]
    changes = {name: change(getattr(part, name).copy()) for name, change in changes.items()}
    return replace(raw, splits={**raw.splits, split: replace(part, **changes)})


def put(value, index=3):
    def change(array):
        array[index] = value
        return array

    return change


def brighter(images):
    return np.minimum(images.astype(int) + 1, 255).astype(np.uint8)


def blurred(images):
    return ((images.astype(float) - 127.5) * 0.99 + 127.5).astype(np.uint8)


MISMATCHES = {
    "label above": (lambda raw: edit(raw, "train", labels=put(100)), r"train labels span 0\.\.100, expected 0\.\.99"),
    "label below": (lambda raw: edit(raw, "test", labels=put(-1)), r"test labels span -1\.\.99"),
    "count": (
        lambda raw: edit(raw, "test", labels=lambda y: np.where(y == 7, 8, y)),
        r"class 7 \(beetle\) has 0 images",
    ),
    "dtype": (lambda raw: edit(raw, "train", images=lambda x: x.astype(np.int16)), "images are int16"),
    "shape": (lambda raw: edit(raw, "train", images=lambda x: x[:, :28]), r"expected uint8 \(600, 32, 32, 3\)"),
    "fewer": (lambda raw: edit(raw, "test", images=lambda x: x[1:]), r"test images are uint8 \(199, 32, 32, 3\)"),
    "label dtype": (lambda raw: edit(raw, "test", labels=lambda y: y.astype(float)), "labels are float64"),
    "superclass": (lambda raw: edit(raw, "train", superclasses=put(19, 0)), "image 0 has class .* but superclass 19"),
    "superclass range": (lambda raw: edit(raw, "train", superclasses=put(20)), r"superclasses span 0\.\.20"),
    "mean": (lambda raw: edit(raw, "train", images=brighter), "channel mean of the training images is"),
    "deviation": (lambda raw: edit(raw, "train", images=blurred), "channel (mean|standard deviation) of the training"),
    "no test": (lambda raw: replace(raw, splits={"train": raw.splits["train"]}), "has no test images"),
    "name": (lambda raw: replace(raw, class_names=("aple", *raw.class_names[1:])), "class 0 is called 'aple'"),
    "names": (lambda raw: replace(raw, class_names=raw.class_names[1:]), "99 class names, expected 100"),
    "superclass name": (
        lambda raw: replace(raw, superclass_names=(*raw.superclass_names[:-1], "cars")),
        "superclass 19 is called 'cars'",
    ),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_mismatches(what: str, small_cifar100) -> None:
    spec, raw = small_cifar100
    verify(raw, spec)
    change, message = MISMATCHES[what]
    with pytest.raises(ValueError, match=message) as error:
        verify(change(raw), spec)
    assert str(error.value).startswith("cifar100: ") and "\n" not in str(error.value)


def test_channel_statistics_are_those_of_the_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 200, (2300, 5, 4, 3), dtype=np.uint8)
    mean, std = channel_statistics(images)
    scaled = images.astype(np.float64) / 255
    np.testing.assert_allclose(mean, scaled.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, scaled.std((0, 1, 2)), rtol=1e-12)


@pytest.mark.parametrize(
    ("spec", "train", "test"),
    [(CIFAR100, 50_000, 10_000), (CIFAR10, 50_000, 10_000), (DIGITS, 1437, 360), (TINY_IMAGENET, 100_000, 10_000)],
)
def test_published_sizes(spec, train: int, test: int) -> None:
    assert (spec.count("train"), spec.count("test")) == (train, test)
    assert len(spec.mean) == len(spec.std) == spec.in_channels


def test_superclasses_of_cifar100() -> None:
    """Five classes in each of twenty; some that are known by heart."""
    assert np.bincount(CIFAR100.superclass_of).tolist() == [5] * 20
    names = {
        name: CIFAR100.superclass_names[s] for name, s in zip(CIFAR100.class_names, CIFAR100.superclass_of, strict=True)
    }
    assert names["maple_tree"] == "trees" and names["wolf"] == "large_carnivores" and names["rocket"] == "vehicles_2"
    assert CIFAR100.class_names[0] == "apple" and CIFAR100.class_names[99] == "worm"
