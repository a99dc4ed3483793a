"""The same batches however many processes, workers, micro-batches or interruptions there are."""

import random

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from cifar100.data import Augment, Batch, EvalLoader, ImageSet, TrainLoader
from cifar100.data.batch import BatchDataset, Request, fetch_together
from cifar100.data.crop import mirror

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
NUMBERED = 103  # a prime number, so that no batch size divides it


@pytest.fixture
def images() -> ImageSet:
    """Random pixels; the label is the image's index."""
    pixels = np.random.default_rng(0).integers(0, 256, (NUMBERED, 16, 16, 3), dtype=np.uint8)
    return ImageSet(torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.arange(NUMBERED))


def loader(images: ImageSet, augment: Augment | None = None, **options) -> TrainLoader:
    options = {"mean": MEAN, "std": STD, "num_classes": NUMBERED, "seed": 0, "batch_size": 8, **options}
    return TrainLoader(images, augment or Augment(padding=2), **options)


def labels(steps: list[list[Batch]]) -> list[int]:
    return [label for step in steps for batch in step for label in batch.labels.tolist()]


def by_image(steps: list[list[Batch]]) -> dict[int, torch.Tensor]:
    return {int(y): x for step in steps for batch in step for x, y in zip(batch.images, batch.labels, strict=True)}


def test_an_epoch_has_every_image_once_normalised(images: ImageSet) -> None:
    train = loader(images, Augment(padding=0, flip=False))
    steps = list(train.epoch(0))
    assert len(steps) == train.steps_per_epoch == 13 and sorted(labels(steps)) == list(range(NUMBERED))
    expected = (images.images.double() / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    for index, image in by_image(steps).items():
        torch.testing.assert_close(image.double(), expected[index], atol=2e-6, rtol=0)
    batch = steps[0][0]
    assert batch.images.dtype == torch.float32 and batch.images.shape == (8, 3, 16, 16)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.targets is batch.labels and batch.labels.dtype == torch.int64
    assert [step[0].step_size for step in steps] == [8] * 12 + [7]


def test_order_depends_on_seed_and_epoch(images: ImageSet) -> None:
    orders = [labels(list(loader(images, seed=seed).epoch(epoch))) for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert orders[0] == orders[3] and orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] != sorted(orders[0])


@pytest.mark.parametrize(
    "augment", [Augment(padding=2), Augment(padding=2, cutout=4, mixup_alpha=0.2, cutmix_alpha=1.0)]
)
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 4, "accumulation": 2},
        {"batch_size": 4, "num_processes": 2},
        {"batch_size": 2, "num_processes": 2, "accumulation": 2},
        {"num_workers": 2},
    ],
    ids=str,
)
def test_processes_micro_batches_and_workers_see_the_same_step(
    images: ImageSet, augment: Augment, options: dict
) -> None:
    whole = list(loader(images, augment).epoch(3))
    processes = options.get("num_processes", 1)
    parts = [list(loader(images, augment, process_index=i, **options).epoch(3)) for i in range(processes)]
    assert all(len(part) == len(whole) for part in parts)
    for step, (expected,) in enumerate(whole):
        batches = [batch for part in parts for batch in part[step]]
        assert {batch.step_size for batch in batches} == {expected.step_size} == {len(expected.labels)}
        sizes = [sum(len(batch.labels) for batch in part[step]) for part in parts]
        assert max(sizes) - min(sizes) <= 1 and max(map(len, (b.labels for b in batches))) <= options.get(
            "batch_size", 8
        )
        for name in ("labels", "images", "targets"):
            assert torch.equal(torch.cat([getattr(batch, name) for batch in batches]), getattr(expected, name))


@pytest.mark.parametrize("start", [1, 5, 12, 13])
def test_an_epoch_can_be_entered_anywhere(images: ImageSet, start: int) -> None:
    whole, rest = list(loader(images).epoch(2)), list(loader(images).epoch(2, start_step=start))
    assert len(rest) == len(whole) - start
    for (expected,), (found,) in zip(whole[start:], rest, strict=True):
        assert torch.equal(expected.images, found.images) and torch.equal(expected.labels, found.labels)


def test_augmentation_does_not_depend_on_the_batch_size(images: ImageSet) -> None:
    small, large = (by_image(list(loader(images, batch_size=size).epoch(1))) for size in (3, 50))
    assert all(torch.equal(small[index], large[index]) for index in range(NUMBERED))
    other = by_image(list(loader(images).epoch(2)))
    assert sum(torch.equal(small[index], other[index]) for index in range(NUMBERED)) < 20


def test_last_step(images: ImageSet) -> None:
    assert len(list(loader(images, drop_last=True).epoch(0))) == loader(images, drop_last=True).steps_per_epoch == 12
    # 103 = 2 x 50 + 3: three images do not reach four processes, but three of them.
    for processes, steps in ((5, 2), (2, 3)):
        options = {"batch_size": 50 // processes, "num_processes": processes}
        parts = [loader(images, process_index=index, **options) for index in range(processes)]
        assert {part.steps_per_epoch for part in parts} == {steps}
        assert {len(list(part.epoch(0))) for part in parts} == {steps}
    tail = list(loader(images, batch_size=5, accumulation=5).epoch(0))[-1]
    assert [len(batch.labels) for batch in tail] == [1, 1, 1] and tail[0].step_size == 3


def test_mixed_targets_name_the_images_in_the_picture(images: ImageSet) -> None:
    plain = by_image(list(loader(images).epoch(0)))
    for (batch,) in loader(images, Augment(padding=2, mixup_alpha=1.0)).epoch(0):
        assert batch.targets.shape == (len(batch.labels), NUMBERED) and batch.targets.dtype == torch.float32
        torch.testing.assert_close(batch.targets.sum(1), torch.ones(len(batch.labels)))
        for image, target in zip(batch.images, batch.targets, strict=True):
            blend = sum(target[index] * plain[int(index)] for index in target.nonzero().flatten())
            torch.testing.assert_close(image, blend, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("processes", "batch_size"), [(1, 10), (2, 10), (3, 7), (5, 1), (110, 4)])
def test_evaluation_sees_every_image_exactly_once(images: ImageSet, processes: int, batch_size: int) -> None:
    seen = []
    for index in range(processes):
        part = EvalLoader(
            images, mean=MEAN, std=STD, batch_size=batch_size, num_processes=processes, process_index=index
        )
        batches = list(part)
        assert len(batches) == len(part)
        own = [label for batch in batches for label in batch.labels.tolist()]
        assert own == part.indices.tolist()
        assert all(batch.step_size == len(batch.labels) <= batch_size for batch in batches)
        seen += own
    assert seen == list(range(NUMBERED))
    assert len(list(part)) == len(part)  # again


def test_loaders_leave_the_global_generators_alone(images: ImageSet) -> None:
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    from cifar100.data.policies import trivialaugment

    augment = Augment(padding=2, policy=trivialaugment(), mixup_alpha=0.2)
    list(loader(images, augment).epoch(0))
    list(EvalLoader(images, mean=MEAN, std=STD, batch_size=9))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1] and np.random.get_state()[1].tolist() == states[2]


def test_images_are_not_written_to(images: ImageSet) -> None:
    before = images.images.clone()
    list(loader(images, Augment(padding=2, cutout=4, cutmix_alpha=1.0)).epoch(0))
    assert torch.equal(images.images, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0 must be >= 1"),
        ({"accumulation": 0}, "accumulation=0 must be >= 1"),
        ({"num_processes": 2, "process_index": 2}, r"process_index=2 must be in 0\.\.1"),
        ({"batch_size": 200, "drop_last": True}, "103 training images do not fill one step"),
        ({"num_workers": -1}, "num_workers=-1 must be >= 0"),
        ({"mean": (0.5,)}, r"mean=\(0.5,\) and std=.* must have 3 numbers each"),
        ({"augment": Augment(padding=16)}, "padding=16 must be below the images' size of 16"),
    ],
)
def test_bad_options(images: ImageSet, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loader(images, **options)


BUNCHES = [
    Augment(padding=2),
    Augment(padding=0, flip=True, cutout=4),
    Augment(padding=2, cutout=4, mixup_alpha=0.2, cutmix_alpha=1.0),
]


@pytest.mark.parametrize("augment", BUNCHES, ids=str)
@pytest.mark.parametrize(("start", "accumulation"), [(0, 1), (3, 2)])
def test_steps_made_together_are_bitwise_those_made_alone(
    images: ImageSet, augment: Augment, start: int, accumulation: int
) -> None:
    """As on a GPU, from the middle of an epoch, too."""
    each = loader(images, augment, batch_size=8, accumulation=accumulation)
    steps = [[Request(1, part, size) for part in parts] for size, parts in each._plan.epoch(0, 1, start)]
    for expected, found in zip(each.epoch(1, start), fetch_together(each._dataset, steps), strict=True):
        for one, other in zip(expected, found, strict=True):
            assert other.images.is_contiguous(memory_format=torch.channels_last)
            assert all(torch.equal(a, b) for a, b in zip(one[:3], other[:3], strict=True))
            assert one.step_size == other.step_size


@pytest.mark.parametrize("waiting", [True, False])
def test_mirrored_images(waiting: bool) -> None:
    images = torch.arange(6 * 4 * 5 * 3).remainder(256).to(torch.uint8).view(6, 4, 5, 3)
    flip = torch.tensor([True, False, True, True, False, False])
    expected = torch.stack([image.flip(1) if each else image for image, each in zip(images, flip, strict=True)])
    assert torch.equal(mirror(images, flip, waiting=waiting), expected)


def test_nothing_in_a_bunch_of_steps_waits_for_the_gpu(images: ImageSet) -> None:
    """A fake tensor has no values, so that reading one, for which a GPU would be waited for, is an error."""
    augment = Augment(padding=2, cutout=4)
    with FakeTensorMode(allow_non_fake_inputs=True):
        there = ImageSet(images.images.to("cuda"), images.labels.to("cuda"))
        dataset = BatchDataset(there, mean=MEAN, std=STD, augment=augment, num_classes=NUMBERED)
        requests = [[Request(1, torch.arange(8), 8)] for _ in range(4)]
        for (batch,) in fetch_together(dataset, requests):
            assert batch.images.device.type == "cuda" and batch.images.shape == (8, 3, 16, 16)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    "augment", [Augment(padding=2), Augment(padding=2, cutout=4, mixup_alpha=0.2, cutmix_alpha=1.0)]
)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_gpu_makes_the_same_batches(images: ImageSet, augment: Augment, workers: int) -> None:
    for (expected,), (found,) in zip(
        loader(images, augment).epoch(0),
        loader(images, augment, device="cuda", num_workers=workers).epoch(0),
        strict=True,
    ):
        assert found.images.is_cuda and found.images.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(found.images.cpu(), expected.images, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.targets.cpu(), expected.targets)
