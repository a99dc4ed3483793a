"""Attentions against timm and plainly written formulas."""

import pytest
import torch
from torch import nn

from cifar100.models.attention.cbam import ConvolutionalBlockAttention
from cifar100.models.attention.coordinate import CoordinateAttention
from cifar100.models.attention.eca import EfficientChannelAttention, adaptive_kernel_size
from cifar100.models.attention.se import SqueezeExcitation, nearest_multiple
from cifar100.models.attention.simam import SimAM


def features(channels: int, resolution: int = 7) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, channels, resolution, resolution, dtype=torch.float64)


@pytest.mark.parametrize("kernel_size", [3, 5, 7, None])
@pytest.mark.parametrize("channels", [16, 64, 256])
def test_eca_is_timms(channels, kernel_size, check_agreement):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.EcaModule(channels) if kernel_size is None else timm.EcaModule(None, kernel_size=kernel_size)
    ours = EfficientChannelAttention(channels, kernel_size=kernel_size)
    check_agreement(ours, theirs, features(channels), {"conv": "conv"})


@pytest.mark.parametrize("channels", [16, 32, 64, 128, 256, 512, 1024])
def test_ecas_adaptive_kernel(channels):
    assert adaptive_kernel_size(channels) == {16: 3, 32: 3, 64: 3, 128: 5, 256: 5, 512: 5, 1024: 5}[channels]


@pytest.mark.parametrize(("channels", "reduction"), [(64, 16), (64, 4), (32, 1)])
@pytest.mark.parametrize("gate", ["sigmoid", "hardsigmoid"])
def test_se_is_timms(channels, reduction, gate, check_agreement):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.SEModule(channels, rd_channels=channels // reduction, gate_layer=gate.replace("hard", "hard_"))
    ours = SqueezeExcitation(channels, reduction=reduction, gate=gate)
    check_agreement(ours, theirs, features(channels) + 1, {"fc1": "reduce", "fc2": "expand"})


def test_se_without_bottleneck_keeps_its_width():
    ours = SqueezeExcitation(24, reduction=1)
    assert ours.reduce.weight.shape == ours.expand.weight.shape == (24, 24)


@pytest.mark.parametrize("divisor", [1, 4, 8])
def test_hidden_widths_are_rounded_as_timm_rounds(divisor):
    timm = pytest.importorskip("timm.layers")
    widths = range(1, 300)
    assert [nearest_multiple(width, divisor) for width in widths] == [
        timm.make_divisible(width, divisor) for width in widths
    ]


@pytest.mark.parametrize(("reduction", "kernel_size"), [(16, 7), (4, 3), (1, 7)])
def test_cbam_is_timms(reduction, kernel_size, check_agreement):
    cbam = pytest.importorskip("timm.layers.cbam")
    theirs = cbam.CbamModule(32, rd_channels=32 // reduction, spatial_kernel_size=kernel_size)
    names = {"channel.fc1": "reduce", "channel.fc2": "expand", "spatial.conv.conv": "conv", "spatial.conv.bn": "norm"}
    ours = ConvolutionalBlockAttention(32, reduction=reduction, kernel_size=kernel_size)
    check_agreement(ours, theirs, features(32) + 1, names)


def test_coordinate_attention_is_timms(check_agreement):
    coordinate = pytest.importorskip("timm.layers.coord_attn")
    theirs = coordinate.CoordAttn(32, rd_channels=8, bias=True)
    names = {"conv1": "reduce", "bn1": "norm", "conv_h": "expand_rows", "conv_w": "expand_columns"}
    x = features(32)[:, :, :5]  # rows and columns differ in number, so that they cannot be mistaken for one another
    check_agreement(CoordinateAttention(32, norm=nn.BatchNorm2d), theirs, x, names)


def test_simam_is_the_papers_formula(check_agreement):
    def by_the_paper(x):  # 1 / e* of equation 5, pixel by pixel, then equation 6
        out = torch.empty_like(x)
        for image in range(x.shape[0]):
            for channel in range(x.shape[1]):
                t = x[image, channel]
                mean, variance = t.mean(), t.var()
                energy = 4 * (variance + 1e-4) / ((t - mean) ** 2 + 2 * variance + 2e-4)
                out[image, channel] = t / (1 + torch.exp(-1 / energy))
        return out

    check_agreement(SimAM(6), by_the_paper, features(6))
    assert torch.isfinite(SimAM(6)(torch.randn(2, 6, 1, 1))).all()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SqueezeExcitation(16, reduction=0), "attention.reduction=0 must be at least 1"),
        (lambda: SqueezeExcitation(16, divisor=0), "attention.divisor=0 must be at least 1"),
        (lambda: SqueezeExcitation(16, gate="relu"), "attention.gate=relu is unknown; choose one of sigmoid"),
        (lambda: EfficientChannelAttention(16, kernel_size=4), "attention.kernel_size=4 must be odd"),
        (lambda: EfficientChannelAttention(16, kernel_size=3, gamma=4), "attention.gamma=4 .* have no effect beside"),
        (lambda: EfficientChannelAttention(16, kernel_size=3, b=2), "attention.b=2 have no effect .* leave them out"),
        (lambda: ConvolutionalBlockAttention(16, reduction=0), "attention.reduction=0 must be at least 1"),
        (lambda: ConvolutionalBlockAttention(16, kernel_size=2), "attention.kernel_size=2 must be odd"),
        (lambda: CoordinateAttention(16, norm=nn.Identity, min_hidden=0), "attention.min_hidden=0 must be"),
        (lambda: SimAM(16, energy_lambda=0), "attention.energy_lambda=0 must be above 0"),
    ],
)
def test_refusals(build, message):
    with pytest.raises(ValueError, match=message):
        build()
