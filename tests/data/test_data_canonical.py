"""The order of images, the held-out part and the fingerprint depend on the images alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cifar100.data.canonical import assemble, canonical_order
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.split import hold_out, keep_images


def images_of(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int64)
    return random.integers(0, 256, (len(labels), 4, 4, 3), dtype=np.uint8), labels


def data_of(counts: list[int], seed: int = 0, **changes) -> ImageData:
    splits = {"train": RawSplit(*images_of(counts, seed)), "test": RawSplit(*images_of([2] * len(counts), seed + 1))}
    facts = {"name": "x", "class_names": tuple("abcdefghij"[: len(counts)]), "mean": (0.5,) * 3, "std": (0.3,) * 3}
    return assemble(RawData(splits), **{**facts, **changes})


def test_order_is_the_same_however_the_source_is_ordered() -> None:
    images, labels = images_of([30, 20, 10])
    images[7] = images[19]  # duplicates, of whatever classes
    expected = None
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(labels))
        found = canonical_order(images[order], labels[order])
        result = images[order][found].tobytes() + labels[order][found].tobytes()
        expected = expected or result
        assert sorted(found) == list(range(60)) and result == expected


def test_every_prefix_is_stratified() -> None:
    counts = np.array([50, 50, 20, 1, 130])
    images, labels = images_of(counts.tolist())
    ordered = labels[canonical_order(images, labels)]
    for size in range(1, len(ordered) + 1):
        found = np.bincount(ordered[:size], minlength=5)
        assert np.abs(found - counts * size / counts.sum()).max() < 1.5
    balanced = images_of([40] * 5)
    ordered = balanced[1][canonical_order(*balanced)]
    for size in range(5, 201, 5):
        assert (np.bincount(ordered[:size]) == size // 5).all()


def test_held_out_images_look_like_a_random_sample() -> None:
    """Neither bright nor dark images come first: the digest orders them."""
    images, labels = images_of([2000])
    images = (images // 4 + np.linspace(0, 191, 2000).astype(np.uint8)[:, None, None, None]).astype(np.uint8)
    means = images.mean((1, 2, 3))[canonical_order(images, labels)]
    assert abs(means[:500].mean() - means.mean()) < 4 * means.std() / 500**0.5


def test_fingerprint_sees_every_part() -> None:
    base = data_of([30, 20])
    assert base.fingerprint == data_of([30, 20]).fingerprint and len(base.fingerprint) == 64
    changed = [
        data_of([30, 20], seed=5),
        data_of([20, 30]),
        data_of([30, 20], name="y"),
        data_of([30, 20], class_names=("a", "c")),
        data_of([30, 20], std=(0.3, 0.3, 0.31)),
    ]
    assert len({data.fingerprint for data in [base, *changed]}) == 6


def test_hold_out_is_nested_disjoint_and_stratified() -> None:
    data = data_of([60] * 10)
    small, large = hold_out(data, 100), hold_out(data, 200)
    assert torch.bincount(large.val.labels).tolist() == [20] * 10
    assert torch.equal(small.val.images, large.val.images[:100])
    assert torch.equal(torch.cat([large.val.images, large.train.images]), data.train.images)
    assert large.fingerprint == data.fingerprint and hold_out(data, 0) is data


@pytest.mark.parametrize(
    ("val_size", "message"),
    [
        (-1, "must be a whole number >= 0"),
        (0.1, "must be a whole number >= 0"),
        (True, "must be a whole number >= 0"),
        ("many", "must be a whole number >= 0"),
        (5, "use data.val_size=0 or at least 10"),
        (600, "without a training image"),
        (595, "without a training image"),
        (5000, "without a training image out of 600; use data.val_size=60"),
    ],
)
def test_hold_out_refuses(val_size, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        hold_out(data_of([60] * 10), val_size)
    assert f"data.val_size={val_size}" in str(error.value) and "\n" not in str(error.value)


def test_hold_out_says_when_classes_get_unequal_parts(caplog: pytest.LogCaptureFixture) -> None:
    held = hold_out(data_of([60] * 10), 105)
    assert len(held.val) == 105 and "each class holds out 10 or 11 images" in caplog.text
    caplog.clear()
    hold_out(data_of([60] * 10), 100)
    hold_out(data_of([60, 30, 50]), 70)
    assert not caplog.text


def test_own_validation_images_are_not_mixed_with_held_out_ones() -> None:
    data = data_of([60] * 10)
    with pytest.raises(ValueError, match="has validation images of its own; use data.val_size=0"):
        hold_out(replace(data, val=data.test), 100)


def test_few_images_a_class_are_nested_and_none_of_them_held_out() -> None:
    data = hold_out(data_of([60, 40, 50]), 30)
    few, more = keep_images(data, 5), keep_images(data, 20)
    assert torch.bincount(few.train.labels).tolist() == [5] * 3
    assert torch.bincount(more.train.labels).tolist() == [20] * 3
    rows = [{image.numpy().tobytes() for image in each.images} for each in (few.train, more.train, data.train)]
    assert rows[0] < rows[1] < rows[2] and few.val is data.val and few.test is data.test
    assert few.train.images.is_contiguous(memory_format=torch.channels_last)
    assert keep_images(data, None) is data and few.fingerprint == data.fingerprint


@pytest.mark.parametrize(
    ("count", "message"), [(0, "whole number >= 1"), (True, "whole"), ("5", "whole"), (61, "has 40")]
)
def test_few_images_are_refused_in_one_line(count, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        keep_images(data_of([60, 40, 50]), count)
    assert f"data.images_per_class={count}" in str(error.value) and "\n" not in str(error.value)
