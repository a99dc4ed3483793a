"""Norms, stochastic depth and LayerScale against timm, torch and plain formulas."""

import pytest
import torch
from torch import nn

from cifar100.models.drop_path import DropPath
from cifar100.models.layer_scale import LayerScale
from cifar100.models.norm.group_norm import GroupNorm2d
from cifar100.models.norm.layer_norm import LayerNorm2d
from cifar100.models.norm.rms_norm import RMSNorm2d

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.randn(2, 24, 5, 5).double()


@pytest.mark.parametrize(("ours", "name"), [(LayerNorm2d, "LayerNorm2d"), (RMSNorm2d, "RmsNorm2d")])
def test_norm_is_timms(ours, name, x, check_agreement):
    layers = pytest.importorskip("timm.layers")
    check_agreement(ours(24), getattr(layers, name)(24), x)


def test_layer_norm_is_its_formula(x):
    norm = LayerNorm2d(24, eps=1e-3).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    mean = x.mean(1, keepdim=True)
    variance = ((x - mean) ** 2).mean(1, keepdim=True)
    expected = (x - mean) / (variance + 1e-3).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(norm(x), expected, **TOLERANCE)


def test_rms_norm_is_its_formula(x):
    norm = RMSNorm2d(24, eps=1e-3).double()
    nn.init.normal_(norm.weight)
    expected = x / ((x**2).mean(1, keepdim=True) + 1e-3).sqrt() * norm.weight[:, None, None]
    torch.testing.assert_close(norm(x), expected, **TOLERANCE)


@pytest.mark.parametrize(("num_groups", "groups"), [(8, 8), (1, 1), (24, 24), (32, 8), (5, 1), (16, 8)])
def test_group_norm_takes_the_greatest_common_divisor(num_groups, groups, x, check_agreement):
    check_agreement(GroupNorm2d(24, num_groups=num_groups), nn.GroupNorm(groups, 24), x)


@pytest.mark.parametrize("norm", [LayerNorm2d, RMSNorm2d])
def test_channels_last_stays_so_without_a_copy(norm):
    x = torch.randn(2, 16, 8, 8).contiguous(memory_format=torch.channels_last)
    assert norm(16)(x).is_contiguous(memory_format=torch.channels_last)


def test_drop_path_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    out = DropPath(0.3)(torch.ones(20_000, 2, 1, 1))
    assert torch.equal(out[:, 0], out[:, 1])
    values = out.unique()
    torch.testing.assert_close(values, torch.tensor([0, 1 / 0.7]))
    assert abs((out == 0).float().mean() - 0.3) < 0.02 and abs(out.mean() - 1) < 0.02


def test_drop_path_does_nothing_in_evaluation():
    x = torch.randn(8, 2, 2, 2)
    assert DropPath(0.9).eval()(x) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_drop_path_refuses_what_is_no_rate(rate):
    with pytest.raises(ValueError, match="must lie in"):
        DropPath(rate)


def test_layer_scale_multiplies_channels(x):
    layer = LayerScale(24, 0.5).double()
    torch.testing.assert_close(layer(x), x / 2)
    nn.init.normal_(layer.scale)
    torch.testing.assert_close(layer(x)[:, 7], x[:, 7] * layer.scale[7])
