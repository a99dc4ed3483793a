"""ResNets against torchvision's, with copied weights, and against published figures."""

import re

import pytest
import torch
from torch import nn

from cifar100.evaluation.costs import count_costs
from cifar100.models.shape import Shape

torchvision_models = pytest.importorskip("torchvision.models")

NAMES = [
    (r"^conv1\.", "stem.conv."),
    (r"^bn1\.", "stem.norm."),
    (r"^layer(\d)\.", lambda match: f"stages.{int(match[1]) - 1}."),
    (r"downsample\.", "shortcut."),
    (r"bn(\d)\.", r"norm\1."),
    (r"^fc\.", "head.classifier."),
]
CONVOLUTIONS = {"basic": [(r"\.conv(\d)\.", r".mixer\1.")], "bottleneck": [(r"\.conv2\.", ".mixer.")]}
IMAGENET = ["stem=conv7x7", "data.num_classes=1000", "data.resolution=64"]


def renamed(name: str, block: str) -> str:
    """A parameter of torchvision's ResNet as this project calls it."""
    for pattern, replacement in NAMES + (CONVOLUTIONS[block] if name.startswith("layer") else []):
        name = re.sub(pattern, replacement, name)
    return name


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("recipe", "block", "millions"),
    [("resnet18", "basic", 11.69), ("resnet34", "basic", 21.80), ("resnet50", "bottleneck", 25.56)],
)
def test_resnet_is_torchvisions(recipe, block, millions, training, make_network, check_agreement):
    ours, theirs = make_network(f"model={recipe}", *IMAGENET), getattr(torchvision_models, recipe)()
    parameters = sum(parameter.numel() for parameter in ours.parameters())
    assert parameters == sum(parameter.numel() for parameter in theirs.parameters())
    assert round(parameters / 1e6, 2) == millions
    images = torch.randn(2, 3, 64, 64).double()
    check_agreement(ours, theirs, images, lambda name: renamed(name, block), training=training)


@pytest.mark.parametrize(("recipe", "block"), [("resnet18", "basic"), ("resnet50", "bottleneck")])
@pytest.mark.parametrize("zero", [False, True])
def test_initialisation_is_torchvisions(recipe, block, zero, make_network):
    """The same mean and deviation in each tensor, as far as chance allows: five deviations of each estimate."""
    ours = make_network(f"model={recipe}", *IMAGENET, f"init.zero_last_norm={zero}").state_dict()
    theirs = getattr(torchvision_models, recipe)(zero_init_residual=zero).state_dict()
    for name, value in theirs.items():
        if value.numel() < 2:
            continue
        mine, error = ours[renamed(name, block)], 5 * (2 / value.numel()) ** 0.5
        assert abs(mine.mean() - value.mean()) <= error * value.std(), name
        assert abs(mine.std() - value.std()) <= error * value.std(), name


@pytest.mark.parametrize(
    ("overrides", "parameters", "millions"),
    [
        (["model=resnet20"], 278_324, 41.2),
        (["model=resnet32"], 472_756, 69.8),
        (["model=resnet44"], 667_188, 98.3),
        (["model=resnet56"], 861_620, 126.8),
        (["model=resnet110"], 1_736_564, 255),
        (["model=resnet20", "attention=se", "attention.reduction=16"], 280_697, 41.3),
        (["model=wrn16_2"], 703_284, None),
        (["model=resnet18"], 11_220_132, None),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_costs_are_the_published_ones(overrides, parameters, millions, make_network):
    network = make_network(*overrides)
    costs = count_costs(network, (3, 32, 32))
    assert costs.parameters == parameters and not costs.uncounted
    if millions:
        assert round(costs.macs / 1e6, 0 if millions == 255 else 1) == millions


def test_padding_shortcut_is_the_papers_option_a(make_network):
    """269,722 parameters: ResNet-20 without projections, as published for CIFAR-10."""
    network = make_network("model=resnet20", "block.shortcut=padding", "data=cifar10")
    assert sum(parameter.numel() for parameter in network.parameters()) == 269_722
    shortcut, x = network.stages[1][0].shortcut, torch.randn(2, 16, 32, 32)
    out = shortcut(x)
    assert out.shape == (2, 32, 16, 16)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2]) and not out[:, :8].any() and not out[:, 24:].any()


def test_avgpool_shortcut_averages_first(make_network):
    block = make_network("model=resnet20", "block.shortcut=avgpool").stages[1][0]
    x = torch.randn(2, 16, 32, 32)
    mean = x.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
    conv, norm = block.shortcut[1], block.shortcut[2].eval()
    expected = norm(nn.functional.conv2d(mean, conv.weight))
    torch.testing.assert_close(block.shortcut.eval()(x), expected)


@pytest.mark.parametrize("changed", [True, False])
def test_preact_block_is_the_papers_formula(changed, make_port):
    """x + W2 f(W1 f(x)), f norm and activation (arXiv 1603.05027, equation 5); the shortcut of a changed shape is a
    projection of f(x)."""
    shape = Shape(16, 32, 2, 8) if changed else Shape(16, 16, 1, 8)
    block = make_port("block", "block=preact")(shape, 0.0).double().eval()
    x = torch.randn(2, 16, 8, 8).double()
    first = block.norm1(x).relu()
    shortcut = nn.functional.conv2d(first, block.projection.weight, stride=2) if changed else x
    second = nn.functional.conv2d(first, block.mixer1.weight, stride=shape.stride, padding=1)
    out = nn.functional.conv2d(block.norm2(second).relu(), block.mixer2.weight, padding=1) + shortcut
    torch.testing.assert_close(block(x), out, rtol=1e-10, atol=1e-10)


def test_wide_resnet_has_the_papers_form(make_network):
    """WRN-16-2: a bare stem, six pre-activation blocks of two convolutions, norm and activation before the head."""
    network = make_network("model=wrn16_2")
    assert isinstance(network.stem.norm, nn.Identity) and isinstance(network.head.norm, nn.BatchNorm2d)
    assert sum(isinstance(each, nn.Conv2d) and each.kernel_size == (3, 3) for each in network.modules()) == 13
    assert [stage[0].mixer1.out_channels for stage in network.stages] == [32, 64, 128]
