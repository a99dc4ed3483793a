"""Ghost modules, blocks and GhostNet against timm, plainly written formulas and published sizes."""

from functools import partial
from math import cos, pi, sin

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cifar100.evaluation.costs import count_costs
from cifar100.models.attention.eca import EfficientChannelAttention
from cifar100.models.attention.se import SqueezeExcitation
from cifar100.models.block.ghost import GhostBlock
from cifar100.models.block.ghost_bottleneck import GhostBottleneck
from cifar100.models.head.mobilenet import MobileNetHead
from cifar100.models.init.torch_default import torch_default
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.mixer.depthwise import DepthwiseMixer
from cifar100.models.mixer.ghost import GhostMixer
from cifar100.models.mixer.ghost_affine import AffineWarp
from cifar100.models.mixer.ghost_eca import GhostEcaMixer
from cifar100.models.network import Network
from cifar100.models.shape import Shape
from cifar100.models.stage.strided import StridedStage
from cifar100.models.stem.conv import ConvStem

close = partial(torch.testing.assert_close, rtol=0, atol=1e-10)
ghost = partial(GhostMixer, norm=nn.BatchNorm2d, activation=nn.ReLU)
GHOST = {"primary": "primary_conv.0", "norm1": "primary_conv.1", "cheap": "cheap_operation.0"}
GHOST |= {"norm2": "cheap_operation.1"}
SE = {"attention.reduce": "se.conv_reduce", "attention.expand": "se.conv_expand"}
SHORTCUT = {f"shortcut.{index}": f"shortcut.{index}" for index in range(4)}


def within(name: str, theirs: str, pairs: dict[str, str]) -> dict[str, str]:
    return {f"{name}.{ours}": f"{theirs}.{each}" for ours, each in pairs.items()}


BOTTLENECK = within("ghost1", "ghost1", GHOST) | within("ghost2", "ghost2", GHOST)
BOTTLENECK |= {"mixer": "conv_dw", "norm": "bn_dw"} | SE | SHORTCUT


def agree(ours: nn.Module, theirs: nn.Module, x: torch.Tensor, pairs: dict[str, str]) -> None:
    """With the same weights, put in by ``pairs`` of module names, both give the same output, running statistics and
    gradients in float64, in training mode; and the same output in evaluation mode."""
    ours.double().train(), theirs.double().train()
    names = {}
    for name, parameter in ours.named_parameters():
        module, kind = name.rsplit(".", 1)
        names[name] = f"{pairs[module]}.{kind}"
        with torch.no_grad():
            parameter.add_(torch.randn_like(parameter) * 0.1)  # norms start at 1 and 0, which hides mistakes
            theirs.get_parameter(names[name]).copy_(parameter.view_as(theirs.get_parameter(names[name])))
    assert set(names.values()) == dict(theirs.named_parameters()).keys()
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outs = [module(each) for module, each in zip((ours, theirs), inputs, strict=True)]
    weights = torch.randn_like(outs[0])
    for out in outs:
        (out * weights).sum().backward()
    close(*outs)
    close(*(each.grad for each in inputs))
    for name, parameter in ours.named_parameters():
        gradient = theirs.get_parameter(names[name]).grad
        close(parameter.grad, gradient.view_as(parameter))
        assert gradient.any(), f"no gradient reached {names[name]}, so the comparison is empty"
    close(ours.eval()(x), theirs.eval()(x))


def features(channels: int, resolution: int = 8) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, channels, resolution, resolution, dtype=torch.float64)


@pytest.mark.parametrize(
    ("ratio", "kernel_size", "cheap_kernel_size", "stride", "out_channels"),
    [(2, 1, 3, 1, 24), (2, 3, 5, 2, 24), (3, 3, 3, 1, 24), (4, 1, 1, 1, 32), (3, 1, 3, 1, 16), (4, 3, 3, 2, 17)],
)
def test_ghost_module_is_timms(ratio, kernel_size, cheap_kernel_size, stride, out_channels):
    timm = pytest.importorskip("timm.models.ghostnet")
    theirs = timm.GhostModule(12, out_channels, kernel_size, ratio, cheap_kernel_size, stride)
    shape = Shape(12, out_channels, stride, 8)
    ours = ghost(shape, ratio=ratio, kernel_size=kernel_size, cheap_kernel_size=cheap_kernel_size)
    agree(ours, theirs, features(12), GHOST)


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


@pytest.mark.parametrize("squeeze", [True, False])
@pytest.mark.parametrize(
    ("out_channels", "stride", "kernel_size", "hidden"),
    [(16, 1, 3, 16), (16, 1, 5, 72), (24, 2, 5, 48), (24, 1, 3, 37)],
)
def test_ghost_bottleneck_is_timms(out_channels, stride, kernel_size, hidden, squeeze):
    timm = pytest.importorskip("timm.models.ghostnet")
    theirs = timm.GhostBottleneck(16, hidden, out_channels, kernel_size, stride, se_ratio=0.25 if squeeze else 0.0)
    ours = bottleneck(Shape(16, out_channels, stride, 8), kernel_size, hidden, squeeze)
    agree(ours, theirs, features(16), BOTTLENECK)


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


def test_ghostnet_is_timms():
    """The published size, 5.2 M parameters, and the logits of timm's network with the same weights."""
    timm = pytest.importorskip("timm")
    ours, theirs = ghostnet(), timm.create_model("ghostnet_100")
    sizes = [sum(parameter.numel() for parameter in model.parameters()) for model in (ours, theirs)]
    assert sizes == [5_182_508, 5_182_508]
    pairs = {"stem.conv": "conv_stem", "stem.norm": "bn1", "head.hidden": "conv_head", "head.classifier": "classifier"}
    blocks = [
        f"blocks.{index}.{number}" for index, stage in enumerate(theirs.blocks[:-1]) for number in range(len(stage))
    ]
    for index, name in enumerate(blocks):
        pairs |= within(f"stages.{index}.0", name, BOTTLENECK)
    pairs |= {"head.conv": "blocks.9.0.conv", "head.norm": "blocks.9.0.bn1"}
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            module, kind = name.rsplit(".", 1)
            parameter.copy_(theirs.get_parameter(f"{pairs[module]}.{kind}").view_as(parameter))
        images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
        logits = ours.double().eval()(images)
        assert logits.std() > 0
        close(logits, theirs.double().eval()(images))


@pytest.mark.parametrize(("ratio", "out_channels"), [(2, 8), (3, 8), (4, 9)])
def test_ghost_mixer_is_the_papers_formula(ratio, out_channels):
    """Equations 2 and 3 without norm and activation: m convolved maps, then s - 1 filtered copies of each, cut."""
    ours = GhostMixer(Shape(4, out_channels, 2, 8), ratio=ratio, cheap_kernel_size=5).double()
    x = features(4)
    maps = F.conv2d(x, ours.primary.weight, stride=2, padding=1)
    assert maps.shape[1] == -(-out_channels // ratio)
    ghosts = [
        F.conv2d(maps[:, [i]], ours.cheap.weight[[i * (ratio - 1) + j]], padding=2)
        for i in range(maps.shape[1])
        for j in range(ratio - 1)
    ]
    close(ours(x), torch.cat([maps, *ghosts], 1)[:, :out_channels])


def test_affine_ghosts_are_moved_and_turned_originals():
    warp = AffineWarp(Shape(2, 4, 1, 9)).double()
    step = 2 / 8  # a pixel in the coordinates of the transformation, -1 to 1 over nine pixels
    angle = pi / 2
    changed = [[[1, 0, 0], [0, 1, 0]], [[1, 0, 2 * step], [0, 1, -step]]]
    changed += [[[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0]], [[-1, 0, 0], [0, 1, 0]]]
    with torch.no_grad():
        warp.change.copy_(torch.tensor(changed) - torch.eye(2, 3))
    x = features(2, 9)
    out = warp(x)
    # Angles and pixels are exact to float32, in which the numbers above were given.
    near = partial(torch.testing.assert_close, rtol=0, atol=1e-5)
    near(out[:, 0], x[:, 0])
    near(out[:, 1, 1:, :-2], x[:, 0, :-1, 2:])
    assert not out[:, 1, 0].any() and not out[:, 1, :, -2:].any()
    near(out[:, 2], x[:, 1].rot90(1, (1, 2)))
    near(out[:, 3], x[:, 1].flip(2))


def test_affine_ghosts_start_near_their_originals_and_apart():
    torch.manual_seed(0)
    warp = AffineWarp(Shape(4, 12, 1, 8))
    assert 0 < warp.change.abs().mean() < 0.2
    assert warp(torch.randn(2, 4, 8, 8)).unique(dim=1).shape[1] == 12


@pytest.mark.parametrize("position", ["primary", "output"])
def test_ghost_eca_weighs_what_it_is_told(position):
    shape = Shape(4, 8, 1, 8)
    torch.manual_seed(0)
    mixer = GhostEcaMixer(shape, eca=partial(EfficientChannelAttention, kernel_size=3), position=position).double()
    x = features(4)
    maps = F.conv2d(x, mixer.primary.weight, padding=1)

    def weighed(maps):
        means = F.pad(maps.mean((2, 3)), (1, 1)).unfold(1, 3, 1)
        return maps * torch.sigmoid(means @ mixer.eca.conv.weight.flatten())[..., None, None]

    def cheap(maps):
        return F.conv2d(maps, mixer.cheap.weight, padding=1, groups=4)

    if position == "primary":
        expected = torch.cat([weighed(maps), cheap(weighed(maps))], 1)
    else:
        expected = weighed(torch.cat([maps, cheap(maps)], 1))
    close(mixer(x), expected)


@pytest.mark.parametrize(
    ("replace", "first", "second"),
    [("both", GhostMixer, GhostMixer), ("first", GhostMixer, ConvMixer), ("second", ConvMixer, GhostMixer)],
)
def test_ghost_block_replaces_what_it_is_told(replace, first, second, make_network):
    network = make_network("block=ghost", f"block.replace={replace}", "model.depths=[1,1,1]")
    for module in network.modules():
        if isinstance(module, GhostBlock):
            assert type(module.mixer1) is first and type(module.mixer2) is second
            kernels = [each.weight for each in (module.mixer1, module.mixer2) if isinstance(each, ConvMixer)]
            assert all(kernel.shape[2:] == (3, 3) for kernel in kernels)


@pytest.mark.parametrize(
    ("overrides", "parameters", "millions"),
    [  # ResNet-20: 278,324 and 41.2
        ("block=ghost", 147_716, 21.9),
        ("block=ghost mixer=ghost_eca", 147_770, 22.0),
        ("block=ghost mixer=ghost_eca mixer.position=output", 147_770, 22.1),
        ("block=ghost attention=eca", 147_743, 22.0),
        ("block=ghost mixer.ratio=3", 107_576, 16.5),
        ("block=ghost mixer.ratio=4", 82_412, 12.3),
        ("block=ghost mixer.cheap_kernel_size=1", 145_028, 21.3),
        ("block=ghost mixer.cheap_kernel_size=5", 153_092, 23.3),
        ("block=ghost block.replace=first", 218_780, 32.2),
        ("block=ghost block.replace=second", 207_260, 31.0),
        # Ghost-ResNet-56 on CIFAR-10, s=2, d=3: the paper's table 6 says 0.43 M and 63 M, without norms.
        ("model=resnet56 block=ghost data=cifar10 block.shortcut=padding", 438_154, 66.4),
    ],
)
def test_sizes(overrides, parameters, millions, make_network):
    costs = count_costs(make_network(*overrides.split()), (3, 32, 32))
    assert (costs.parameters, round(costs.macs / 1e6, 1)) == (parameters, millions)
    assert not costs.uncounted


def test_norm_and_activation_of_the_authors_code_are_overrides(make_network):
    network = make_network(
        "block=ghost", "mixer.norm=${norm}", "mixer.activation=${activation}", "model.depths=[1,1,1]"
    )
    mixer = network.stages[0][0].mixer1
    assert [type(each) for each in (mixer.norm1, mixer.norm2)] == [nn.BatchNorm2d] * 2
    assert [type(each) for each in (mixer.activation1, mixer.activation2)] == [nn.ReLU] * 2


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


SHAPE = Shape(8, 8, 1, 8)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GhostMixer(SHAPE, ratio=1), "ratio=1 of a Ghost module must be .* at least 2; 1 is mixer=conv"),
        (lambda: GhostMixer(SHAPE, ratio=2.5), "ratio=2.5 of a Ghost module must be a whole number"),
        (lambda: GhostMixer(SHAPE, kernel_size=2), "kernel_size=2 must be odd"),
        (lambda: GhostMixer(SHAPE, cheap_kernel_size=0), "cheap_kernel_size=0 must be odd"),
        (lambda: GhostMixer(SHAPE, cheap_operation="wavelet"), "cheap_operation=wavelet is unknown; choose depthwise"),
        (lambda: GhostEcaMixer(SHAPE, eca=nn.Identity, position="ghosts"), "mixer.position=ghosts is unknown; choose"),
        (lambda: bottleneck(SHAPE, 3, 0, False), "block.expansion=0.0 must leave a hidden channel"),
        (
            lambda: GhostBlock(
                *(SHAPE, 0.0),
                mixer=GhostMixer,
                norm=nn.Identity,
                activation=nn.ReLU,
                attention=nn.Identity,
                replace="all",
            ),
            "block.replace=all is unknown; choose first, second or both",
        ),
        (
            lambda: MobileNetHead(8, 10, norm=nn.Identity, activation=nn.ReLU, expansion=0),
            "head.expansion=0 and head.hidden_expansion=4 must be at least 1",
        ),
    ],
)
def test_refusals(build, message):
    with pytest.raises(ValueError, match=message):
        build()
