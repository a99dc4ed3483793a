"""GhostNet and its bottleneck against timm, with copied weights, and its published size."""

from functools import partial

import pytest
import torch
from torch import nn

from cifar100.models.attention.se import SqueezeExcitation
from cifar100.models.block.ghost_bottleneck import GhostBottleneck
from cifar100.models.head.mobilenet import MobileNetHead
from cifar100.models.init.torch_default import torch_default
from cifar100.models.mixer.depthwise import DepthwiseMixer
from cifar100.models.network import Network
from cifar100.models.shape import Shape
from cifar100.models.stage.strided import StridedStage
from cifar100.models.stem.conv import ConvStem

GHOST = {"primary_conv.0": "primary", "primary_conv.1": "norm1", "cheap_operation.0": "cheap"}
GHOST |= {"cheap_operation.1": "norm2"}


def within(theirs: str, ours: str, names: dict[str, str]) -> dict[str, str]:
    return {f"{theirs}.{other}": f"{ours}.{name}" for other, name in names.items()}


BOTTLENECK = within("ghost1", "ghost1", GHOST) | within("ghost2", "ghost2", GHOST)
BOTTLENECK |= {"conv_dw": "mixer", "bn_dw": "norm", "se.conv_reduce": "attention.reduce"}
BOTTLENECK |= {"se.conv_expand": "attention.expand"} | {f"shortcut.{index}": f"shortcut.{index}" for index in range(4)}


def bottleneck(shape: Shape, kernel_size: int, hidden: int, squeeze: bool) -> GhostBottleneck:
    """GhostNet's, as one line of the paper's table 1 describes it."""
    return GhostBottleneck(
        shape,
        mixer=partial(DepthwiseMixer, kernel_size=kernel_size, bias=False),
        norm=nn.BatchNorm2d,
        activation=nn.ReLU,
        attention=partial(SqueezeExcitation, reduction=4, divisor=4, gate="hardsigmoid") if squeeze else nn.Identity,
        expansion=hidden / shape.in_channels,
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("squeeze", [True, False])
@pytest.mark.parametrize(
    ("out_channels", "stride", "kernel_size", "hidden"),
    [(16, 1, 3, 16), (16, 1, 5, 72), (24, 2, 5, 48), (24, 1, 3, 37)],
)
def test_ghost_bottleneck_is_timms(out_channels, stride, kernel_size, hidden, squeeze, training, check_agreement):
    timm = pytest.importorskip("timm.models.ghostnet")
    theirs = timm.GhostBottleneck(16, hidden, out_channels, kernel_size, stride, se_ratio=0.25 if squeeze else 0.0)
    ours = bottleneck(Shape(16, out_channels, stride, 8), kernel_size, hidden, squeeze)
    check_agreement(ours, theirs, torch.randn(3, 16, 8, 8).double(), BOTTLENECK, training=training)


# Kernel size, hidden channels, output channels, SE, stride: the rows of the paper's table 1.
GHOSTNET = [
    (3, 16, 16, False, 1),
    *[(3, 48, 24, False, 2), (3, 72, 24, False, 1)],
    *[(5, 72, 40, True, 2), (5, 120, 40, True, 1)],
    *[(3, 240, 80, False, 2), (3, 200, 80, False, 1), (3, 184, 80, False, 1), (3, 184, 80, False, 1)],
    *[(3, 480, 112, True, 1), (3, 672, 112, True, 1)],
    *[(5, 672, 160, True, 2), (5, 960, 160, False, 1), (5, 960, 160, True, 1)],
    *[(5, 960, 160, False, 1), (5, 960, 160, True, 1)],
]


def ghostnet() -> Network:
    """GhostNet 1.0x for ImageNet from this project's primitives, a stage for every block."""
    stages = [
        partial(StridedStage, block=lambda shape, rate, row=row: bottleneck(shape, row[0], row[1], row[3]))
        for row in GHOSTNET
    ]
    return Network(
        partial(ConvStem, conv_stride=2, norm=nn.BatchNorm2d, activation=nn.ReLU),
        stages,
        partial(MobileNetHead, norm=nn.BatchNorm2d, activation=nn.ReLU, expansion=6, hidden_expansion=8),
        torch_default,
        depths=[1] * len(stages),
        widths=[row[2] for row in GHOSTNET],
        strides=[row[4] for row in GHOSTNET],
        num_classes=1000,
        resolution=224,
    )


@pytest.mark.parametrize("training", [True, False])
def test_ghostnet_is_timms(training, check_agreement):
    """The published size, 5.2 M parameters, and timm's network with the same weights."""
    timm = pytest.importorskip("timm")
    ours, theirs = ghostnet(), timm.create_model("ghostnet_100", drop_rate=0)
    sizes = [sum(parameter.numel() for parameter in model.parameters()) for model in (ours, theirs)]
    assert sizes == [5_182_508, 5_182_508]
    names = {"conv_stem": "stem.conv", "bn1": "stem.norm", "conv_head": "head.hidden", "classifier": "head.classifier"}
    names |= {"blocks.9.0.conv": "head.conv", "blocks.9.0.bn1": "head.norm"}
    blocks = [
        f"blocks.{index}.{number}" for index, stage in enumerate(theirs.blocks[:-1]) for number in range(len(stage))
    ]
    for index, name in enumerate(blocks):
        names |= within(name, f"stages.{index}.0", BOTTLENECK)
    ours.head.dropout = nn.Identity()
    check_agreement(ours, theirs, torch.randn(2, 3, 64, 64).double(), names, training=training)


@pytest.mark.parametrize("overrides", ["model=ghostnet", "block=ghost mixer=ghost_eca", "block=ghost mixer.ratio=3"])
def test_bfloat16_and_channels_last_change_little(overrides, make_network):
    """As the loop runs it: bfloat16 where autocast puts it, channels last, close to float32."""
    network = make_network(*overrides.split(), "head=linear").eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        exact = network(images)
        network.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(rounded.float(), exact, rtol=0.1, atol=0.1 * float(exact.std()) + 0.02)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: bottleneck(Shape(8, 8, 1, 8), 3, 0, False), "block.expansion=0.0 must leave a hidden channel"),
        (
            lambda: MobileNetHead(8, 10, norm=nn.Identity, activation=nn.ReLU, expansion=0),
            "head.expansion=0 must be at least 1; GhostNet",
        ),
    ],
)
def test_refusals(build, message):
    with pytest.raises(ValueError, match=message):
        build()
