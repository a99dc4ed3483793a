"""Augmentation equals torchvision's for the same draws, and each image's depends on nothing but itself."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

from cifar100.base.counter import random_bits, stream_key
from cifar100.data.augment import Augment
from cifar100.data.crop import crop_and_flip
from cifar100.data.cutout import cutout
from cifar100.data.policies import autoaugment, randaugment, trivialaugment

POLICIES = {
    "autoaugment": (autoaugment, lambda: transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10)),
    "randaugment": (randaugment, lambda: transforms.RandAugment(2, 9)),
    "trivialaugment": (trivialaugment, transforms.TrivialAugmentWide),
}


def images(count: int = 40, height: int = 32, width: int = 32, channels: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8))


@pytest.mark.parametrize(("height", "width", "channels", "padding"), [(32, 32, 3, 4), (8, 8, 1, 2), (5, 9, 3, 1)])
def test_crop_and_flip_are_torchvisions(height: int, width: int, channels: int, padding: int) -> None:
    batch = images(40, height, width, channels)
    random = torch.Generator().manual_seed(0)
    top, left = torch.randint(0, 2 * padding + 1, (2, 40), generator=random)
    flip = torch.rand(40, generator=random) < 0.5
    before = batch.clone()
    found = crop_and_flip(batch, top, left, flip, padding)
    for index in range(40):
        image = batch[index].permute(2, 0, 1)
        image = functional.hflip(image) if flip[index] else image
        image = functional.crop(functional.pad(image, padding), int(top[index]), int(left[index]), height, width)
        assert torch.equal(found[index].permute(2, 0, 1), image)
    assert torch.equal(batch, before)


def test_crops_reach_every_place_and_half_are_mirrored() -> None:
    marked = torch.zeros(20_000, 8, 8, 1, dtype=torch.uint8)
    marked[:, 3, 2] = 1
    found = Augment(padding=2).pixels(marked, torch.arange(20_000), seed=0, epoch=0)
    places = torch.bincount(found.flatten(1).argmax(1), minlength=64).view(8, 8)
    # The mark is in column 2, or 5 if mirrored, moved by up to 2 in each direction.
    assert (places.sum(1) > 0).tolist() == [False, True, True, True, True, True, False, False]
    assert torch.allclose(places.sum(1)[1:6] / 20_000, torch.tensor(0.2), atol=0.015)
    expected = (torch.tensor([1, 1, 1, 2, 2, 1, 1, 1]) / 10).tolist()
    assert (places.sum(0) / 20_000).tolist() == pytest.approx(expected, abs=0.015)


def test_no_augmentation_changes_nothing() -> None:
    batch = images()
    assert torch.equal(Augment(padding=0, flip=False).pixels(batch, torch.arange(40), 0, 0), batch)
    only_crop = Augment(padding=4, flip=False).pixels(batch, torch.arange(40), 0, 0)
    assert not torch.equal(only_crop, batch)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_policies_are_torchvisions(policy: str, channels: int) -> None:
    ours, theirs = POLICIES[policy]
    batch, ids, key = images(12, channels=channels), torch.arange(100, 112), stream_key(0, 3, "policy")
    state = torch.get_rng_state()
    found = ours()(batch, ids, key)
    assert torch.equal(torch.get_rng_state(), state)
    transform = theirs()
    for index, seed in enumerate(random_bits(ids, key).tolist()):
        torch.manual_seed(seed)
        image = batch[index].numpy()
        expected = transform(Image.fromarray(image if channels == 3 else image[..., 0]))
        assert np.array_equal(found[index].numpy(), np.asarray(expected).reshape(32, 32, channels))
    assert not torch.equal(found, batch)


@pytest.mark.parametrize(
    "augment", [Augment(), Augment(policy=trivialaugment()), Augment(cutout=8)], ids=["standard", "policy", "cutout"]
)
def test_augmentation_depends_on_seed_epoch_and_image_only(augment: Augment) -> None:
    batch, ids = images(40), torch.arange(40) * 7

    def run(part: slice, seed: int = 0, epoch: int = 0) -> torch.Tensor:
        pixels = augment.pixels(batch[part], ids[part], seed, epoch)
        return augment.normalised(pixels.float(), ids[part], seed, epoch)

    whole = run(slice(None))
    assert torch.equal(run(slice(10, 13)), whole[10:13])
    assert not torch.equal(run(slice(None), seed=1), whole)
    assert not torch.equal(run(slice(None), epoch=1), whole)


def test_cutout_zeroes_a_square_cut_off_at_the_border() -> None:
    ones = torch.ones(3000, 32, 32, 3)
    found = cutout(ones, torch.arange(3000), 5, 8)
    assert torch.equal(found[..., 0], found[..., 2])
    holes = found[..., 0] == 0
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(holes.sum((1, 2)), rows * columns)  # one box each
    assert rows.max() == 8 and rows.min() == 4 and columns.max() == 8 and columns.min() == 4
    assert holes[:, 0, 0].any() and holes[:, 31, 31].any()
    assert rows.double().mean() == pytest.approx((25 * 8 + 4 + 5 + 6 + 7 + 7 + 6 + 5) / 32, abs=0.08)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": -1}, "augment.padding=-1 must be whole pixels >= 0"),
        ({"padding": 1.5}, "augment.padding=1.5 must be whole pixels"),
        ({"padding": "wide"}, "augment.padding=wide"),
        ({"cutout": -8}, "augment.cutout=-8"),
        ({"mixup_alpha": -0.1}, "augment.mixup_alpha=-0.1 must be a number >= 0"),
        ({"cutmix_alpha": float("nan")}, "augment.cutmix_alpha=nan"),
        ({"mixup_alpha": float("inf")}, "augment.mixup_alpha=inf"),
        ({"flip": "maybe"}, "augment.flip=maybe must be true or false"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: randaugment(num_ops=0), "num_ops=0 must be >= 1"),
        (lambda: randaugment(magnitude=31), "magnitude=31 must be in 0..num_magnitude_bins-1=30"),
        (lambda: trivialaugment(1), "num_magnitude_bins=1"),
        (lambda: Augment(padding=8).check(8, 1), "padding=8 must be below"),
        (lambda: Augment(cutout=64).check(32, 3), "cutout=64 must be below"),
        (lambda: Augment(policy=trivialaugment()).check(32, 2), "policy needs 1 or 3 channels, the images have 2"),
    ],
)
def test_bad_policies_and_sizes(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
