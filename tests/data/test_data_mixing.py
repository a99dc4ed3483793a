"""mixup and CutMix: shares as the papers distribute them, targets that say what is in the image."""

import numpy as np
import pytest
import torch
from scipy import stats

from cifar100.data.mixing import Labelled, Mixing, beta_quantile, partners

COUNT = 400


def mixed(mixup: float, cutmix: float, ids: torch.Tensor | None = None, epoch: int = 0):
    """Mixes images of ones, class 1, with images of zeros, class 2: means of the result are shares."""
    ids = torch.arange(COUNT) if ids is None else ids
    own = Labelled(torch.ones(len(ids), 32, 32, 3), torch.ones(len(ids), dtype=torch.int64))
    other = Labelled(torch.zeros(len(ids), 32, 32, 3), torch.full((len(ids),), 2))
    return Mixing(mixup, cutmix, 5)(own, other, ids, 0, epoch)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.2, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.5), (0.2, 1.0)])
def test_targets_are_the_shares_of_the_pixels(mixup: float, cutmix: float) -> None:
    images, targets = mixed(mixup, cutmix)
    assert (
        images.shape == (COUNT, 32, 32, 3) and images.is_contiguous() and images.dtype == targets.dtype == torch.float32
    )
    torch.testing.assert_close(targets[:, 1], images.mean((1, 2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(targets[:, 1] + targets[:, 2], torch.ones(COUNT))
    assert targets[:, [0, 3, 4]].abs().max() == 0
    assert torch.equal(images[..., 0], images[..., 1])


def test_mixup_blends_and_cutmix_pastes() -> None:
    blended, pasted = mixed(1.0, 0.0)[0], mixed(0.0, 1.0)[0]
    assert blended.flatten(1).std(1).max() < 1e-6
    assert set(pasted.unique().tolist()) == {0.0, 1.0}
    holes = pasted[..., 0] == 0
    assert torch.equal(holes.sum((1, 2)), holes.any(2).sum(1) * holes.any(1).sum(1))


def test_with_both_a_fair_coin_decides() -> None:
    images = mixed(1.0, 1.0, torch.arange(4000))[0]
    pasted = ((images == 0) | (images == 1)).flatten(1).all(1)
    assert abs(pasted.double().mean() - 0.5) < 0.04


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_mixup_shares_are_beta_distributed(alpha: float) -> None:
    shares = mixed(alpha, 0.0, torch.arange(5000))[1][:, 1].double()
    assert stats.kstest(shares.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_beta_quantile_agrees_with_scipy() -> None:
    uniform = torch.linspace(0.001, 0.999, 99, dtype=torch.float64)
    for alpha in (0.2, 1, 2.5):
        np.testing.assert_allclose(beta_quantile(uniform, alpha), stats.beta(alpha, alpha).ppf(uniform), rtol=1e-9)


def test_cutmix_box_has_the_area_of_the_share_before_it_is_cut_off() -> None:
    """Arithmetic mean of the kept share: 1 - E[visible area], the box's centre being uniform over the image."""
    kept = mixed(0.0, 1.0, torch.arange(5000))[1][:, 1].double()
    random = np.random.default_rng(0)
    side = (np.sqrt(1 - random.random(200_000)) * 32).astype(int)
    spans = []
    for _ in range(2):
        start = random.integers(0, 32, len(side)) - side // 2
        spans.append(np.clip(start + side, 0, 32) - np.clip(start, 0, 32))
    assert kept.mean() == pytest.approx(1 - (spans[0] * spans[1]).mean() / 1024, abs=0.015)


def test_partners_come_from_the_whole_set_and_belong_to_the_image() -> None:
    found = partners(torch.arange(5000), 0, 0, 100)
    assert torch.bincount(found, minlength=100).min() > 20
    assert torch.equal(partners(torch.tensor([77]), 0, 0, 100), found[77:78])
    assert not torch.equal(partners(torch.arange(5000), 0, 1, 100), found)


def test_mixing_depends_on_the_image_and_epoch_only() -> None:
    images, targets = mixed(0.2, 1.0)
    some = torch.tensor([300, 5, 17])
    again = mixed(0.2, 1.0, some)
    assert torch.equal(again[0], images[some]) and torch.equal(again[1], targets[some])
    assert not torch.equal(mixed(0.2, 1.0, epoch=1)[1], targets)
