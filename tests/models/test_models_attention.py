"""Attentions against timm and plainly written formulas, and the places where a block can have one."""

from functools import partial

import pytest
import torch
from torch import nn

from cifar100.models.attention.cbam import ConvolutionalBlockAttention
from cifar100.models.attention.coordinate import CoordinateAttention
from cifar100.models.attention.eca import EfficientChannelAttention, adaptive_kernel_size
from cifar100.models.attention.se import SqueezeExcitation, nearest_multiple
from cifar100.models.attention.simam import SimAM
from cifar100.models.block.basic import BasicBlock
from cifar100.models.block.bottleneck import BottleneckBlock
from cifar100.models.block.convnext import ConvNeXtBlock
from cifar100.models.block.ghost import GhostBlock
from cifar100.models.block.ghost_bottleneck import GhostBottleneck
from cifar100.models.block.preact import PreActBlock
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.shape import Shape


def agree(ours: nn.Module, theirs, x: torch.Tensor, pairs: dict[str, str] | None = None) -> None:
    """Both modules, or ours and a function, give the same output and gradients in float64, those of the weights too.

    Args:
        pairs: which parameter of theirs is which of ours, a view of another shape allowed; theirs takes our values.
    """
    ours.double()
    pairs = pairs or {}
    if pairs:
        theirs.double().train()
        assert pairs.keys() == dict(ours.named_parameters()).keys()
        assert set(pairs.values()) == dict(theirs.named_parameters()).keys()
        with torch.no_grad():
            for ours_name, theirs_name in pairs.items():
                parameter = ours.get_parameter(ours_name)
                parameter.add_(torch.randn_like(parameter) * 0.3)  # norms start at 1 and 0, which hides mistakes
                theirs.get_parameter(theirs_name).copy_(parameter.view_as(theirs.get_parameter(theirs_name)))
    results = []
    weights = torch.randn_like(x)
    for module in (ours, theirs):
        each = x.clone().requires_grad_()
        out = module(each)
        (out * weights).sum().backward()
        results.append((out, each.grad))
    close = partial(torch.testing.assert_close, rtol=0, atol=1e-10)
    close(*(out for out, _ in results))
    close(*(gradient for _, gradient in results))
    for ours_name, theirs_name in pairs.items():
        gradient = theirs.get_parameter(theirs_name).grad
        close(ours.get_parameter(ours_name).grad, gradient.view_as(ours.get_parameter(ours_name)))
        assert gradient.any(), f"no gradient reached {theirs_name}, so the comparison is empty"


def features(channels: int, resolution: int = 7) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, channels, resolution, resolution, dtype=torch.float64)


@pytest.mark.parametrize("kernel_size", [3, 5, 7, None])
@pytest.mark.parametrize("channels", [16, 64, 256])
def test_eca_is_timms(channels, kernel_size):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.EcaModule(channels) if kernel_size is None else timm.EcaModule(None, kernel_size=kernel_size)
    ours = EfficientChannelAttention(channels, kernel_size=kernel_size)
    agree(ours, theirs, features(channels), {"conv.weight": "conv.weight"})


@pytest.mark.parametrize("channels", [16, 32, 64, 128, 256, 512, 1024])
def test_ecas_adaptive_kernel(channels):
    assert adaptive_kernel_size(channels) == {16: 3, 32: 3, 64: 3, 128: 5, 256: 5, 512: 5, 1024: 5}[channels]


SE_PAIRS = {f"{ours}.{kind}": f"{theirs}.{kind}" for ours, theirs in (("reduce", "fc1"), ("expand", "fc2"))
            for kind in ("weight", "bias")}  # fmt: skip


@pytest.mark.parametrize(("channels", "reduction"), [(64, 16), (64, 4), (32, 1)])
@pytest.mark.parametrize("gate", ["sigmoid", "hardsigmoid"])
def test_se_is_timms(channels, reduction, gate):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.SEModule(channels, rd_channels=channels // reduction, gate_layer=gate.replace("hard", "hard_"))
    ours = SqueezeExcitation(channels, reduction=reduction, gate=gate)
    agree(ours, theirs, features(channels) + 1, SE_PAIRS)


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
def test_cbam_is_timms(reduction, kernel_size):
    cbam = pytest.importorskip("timm.layers.cbam")
    theirs = cbam.CbamModule(32, rd_channels=32 // reduction, spatial_kernel_size=kernel_size)
    pairs = {"reduce.weight": "channel.fc1.weight", "expand.weight": "channel.fc2.weight"}
    pairs |= {"conv.weight": "spatial.conv.conv.weight"}
    pairs |= {f"norm.{kind}": f"spatial.conv.bn.{kind}" for kind in ("weight", "bias")}
    ours = ConvolutionalBlockAttention(32, reduction=reduction, kernel_size=kernel_size)
    agree(ours, theirs, features(32) + 1, pairs)


def test_coordinate_attention_is_timms():
    coordinate = pytest.importorskip("timm.layers.coord_attn")
    pairs = {}
    for ours_name, theirs_name in zip(
        ("reduce", "norm", "expand_rows", "expand_columns"), ("conv1", "bn1", "conv_h", "conv_w"), strict=True
    ):
        pairs |= {f"{ours_name}.{kind}": f"{theirs_name}.{kind}" for kind in ("weight", "bias")}
    theirs = coordinate.CoordAttn(32, rd_channels=8, bias=True)
    x = features(32)[:, :, :5]  # rows and columns differ in number, so that they cannot be mistaken for one another
    agree(CoordinateAttention(32, norm=nn.BatchNorm2d), theirs, x, pairs)


def test_simam_is_the_papers_formula():
    def by_the_paper(x):  # 1 / e* of equation 5, pixel by pixel, then equation 6
        out = torch.empty_like(x)
        for image in range(x.shape[0]):
            for channel in range(x.shape[1]):
                t = x[image, channel]
                mean, variance = t.mean(), t.var()
                energy = 4 * (variance + 1e-4) / ((t - mean) ** 2 + 2 * variance + 2e-4)
                out[image, channel] = t / (1 + torch.exp(-1 / energy))
        return out

    agree(SimAM(6), by_the_paper, features(6))
    assert torch.isfinite(SimAM(6)(torch.randn(2, 6, 1, 1))).all()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SqueezeExcitation(16, reduction=0), "attention.reduction=0 must be at least 1"),
        (lambda: SqueezeExcitation(16, divisor=0), "attention.divisor=0 must be at least 1"),
        (lambda: SqueezeExcitation(16, gate="relu"), "attention.gate=relu is unknown; choose one of sigmoid"),
        (lambda: EfficientChannelAttention(16, kernel_size=4), "attention.kernel_size=4 must be odd"),
        (lambda: ConvolutionalBlockAttention(16, reduction=0), "attention.reduction=0 must be at least 1"),
        (lambda: ConvolutionalBlockAttention(16, kernel_size=2), "attention.kernel_size=2 must be odd"),
        (lambda: CoordinateAttention(16, norm=nn.Identity, min_hidden=0), "attention.min_hidden=0 must be"),
        (lambda: SimAM(16, energy_lambda=0), "attention.energy_lambda=0 must be above 0"),
        (lambda: block(BasicBlock, "last"), "block.attention_position=last is unknown; choose one of standard, pre"),
    ],
)
def test_refusals(build, message):
    with pytest.raises(ValueError, match=message):
        build()


POSITIONS = ("standard", "pre", "post", "identity", "inner")
BLOCKS = {BasicBlock: {}, GhostBlock: {}, PreActBlock: {}, BottleneckBlock: {}, ConvNeXtBlock: {"layer_scale": 1.0}}
BLOCKS |= {GhostBottleneck: {}}


class Spy(nn.Module):
    """An attention that remembers the channels it was built for and what it saw, and changes it plainly."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.seen = channels, []

    def forward(self, x):
        assert x.shape[1] == self.channels
        self.seen.append(x)
        return x * 0.5


def block(kind, position, attention=Spy, shape=None):
    ports = {"mixer": ConvMixer, "norm": nn.BatchNorm2d, "activation": nn.ReLU, "attention": attention}
    torch.manual_seed(0)
    shape = shape or Shape(8, 8, 1, 8)
    return kind(shape, mixer=ports.pop("mixer"), attention_position=position, **ports, **BLOCKS[kind]).eval()


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
def test_attention_sits_where_it_is_told(kind, position):
    """Halving at a place, predicted from the block without attention, wherever that is linear; and in any case it is
    called once, on the channels of the place, also where the block strides and widens."""
    x = torch.randn(2, 8, 8, 8)
    with torch.no_grad():
        placed = block(kind, position)
        out, plain = placed(x), block(kind, position, nn.Identity)(x)
        (seen,) = placed.attention.seen
        ends_with_activation = kind in (BasicBlock, GhostBlock, BottleneckBlock)
        if position == "post":
            assert torch.equal(seen, plain) and torch.equal(out, plain / 2)
        elif position == "pre" and kind is not PreActBlock:
            assert torch.equal(seen, x)
        elif position == "identity":
            assert torch.equal(seen, x)
            if not ends_with_activation:
                torch.testing.assert_close(out, plain - x / 2)
        elif position == "standard":
            expected = seen / 2 + x
            torch.testing.assert_close(out, expected.relu() if ends_with_activation else expected)
            torch.testing.assert_close(plain, (seen + x).relu() if ends_with_activation else seen + x)
        else:
            assert not torch.equal(out, plain)
        if kind is ConvNeXtBlock:
            return
        changed = block(kind, position, shape=Shape(8, 16, 2, 8))
        assert changed(x).shape == (2, 16, 4, 4)
        assert len(changed.attention.seen) == 1


@pytest.mark.parametrize(
    ("kind", "channels"), [(BottleneckBlock, 2), (ConvNeXtBlock, 32), (GhostBottleneck, 24), (BasicBlock, 8)]
)
def test_inner_attention_sees_the_hidden_channels(kind, channels):
    assert block(kind, "inner").attention.channels == channels


def test_attention_position_is_an_option_of_the_command_line(make_network):
    sizes = []
    for position in ("pre", "standard"):
        network = make_network("attention=se", f"block.attention_position={position}", "model.depths=[1,1,1]")
        sizes.append(sum(parameter.numel() for parameter in network.parameters()))
    # Where a stage widens, what comes in has half the channels of what goes out.
    assert sizes[0] < sizes[1]
