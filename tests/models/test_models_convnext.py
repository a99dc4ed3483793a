"""ConvNeXt against timm's, with copied weights, and against published figures."""

import re

import pytest
import torch

from cifar100.models.shape import Shape

timm = pytest.importorskip("timm")

NAMES = [
    (r"^stem\.0\.", "stem.conv."),
    (r"^stem\.1\.", "stem.norm."),
    (r"^stages\.(\d)\.downsample\.", r"stages.\1.0."),
    (r"conv_dw\.", "mixer."),
    (r"mlp\.fc1\.", "expand."),
    (r"mlp\.fc2\.", "project."),
    (r"gamma$", "layer_scale.scale"),
    (r"^head\.norm\.", "head.pooled_norm."),
    (r"^head\.fc\.", "head.classifier."),
]
TINY = ["model=convnext", "stem=patchify4", "model.depths=[3,3,9,3]", "model.widths=[96,192,384,768]"]
TINY += ["data.num_classes=1000", "data.resolution=224"]


def renamed(name: str) -> str:
    """A parameter of timm's ConvNeXt as this project calls it; a downsample layer counts as its stage's first."""

    def place(match: re.Match) -> str:
        return f"stages.{match[1]}.{int(match[2]) + (match[1] != '0')}."

    name = re.sub(r"^stages\.(\d)\.blocks\.(\d+)\.", place, name)
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def as_convolution(name: str, value: torch.Tensor) -> torch.Tensor:
    """timm's perceptrons are linear layers, ours 1x1 convolutions of the same numbers."""
    return value[:, :, None, None] if re.search(r"mlp\.fc\d\.weight", name) else value


@pytest.mark.parametrize("kernel_size", [7, 3, 11])
@pytest.mark.parametrize("layer_scale", [1e-6, None])
def test_block_is_timms(kernel_size, layer_scale, make_port, check_agreement):
    options = [f"mixer.kernel_size={kernel_size}", f"block.layer_scale={layer_scale or 'null'}"]
    ours = make_port("block", "block=convnext", "norm=ln", "activation=gelu", *options)
    theirs = timm.models.convnext.ConvNeXtBlock(24, kernel_size=kernel_size, ls_init_value=layer_scale)
    check_agreement(ours(Shape(24, 24, 1, 8), 0.0), theirs, torch.randn(2, 24, 8, 8).double(), renamed)


def test_network_is_timms(make_network, check_agreement):
    """Four stages, so that timm can build it; stem, downsampling, head and the order of all."""
    small = ["model.depths=[1,2,1,1]", "model.widths=[8,16,24,32]", "data.num_classes=10", "model.drop_path=0"]
    ours = make_network("model=convnext", "stem=patchify4", *small)
    theirs = timm.models.convnext.ConvNeXt(num_classes=10, depths=(1, 2, 1, 1), dims=(8, 16, 24, 32))
    check_agreement(ours, theirs, torch.randn(2, 3, 32, 32).double(), renamed)


def test_convnext_tiny_has_its_published_parameters(make_network):
    with torch.device("meta"):
        ours, theirs = make_network(*TINY), timm.create_model("convnext_tiny")
    parameters = {name: tuple(value.shape) for name, value in ours.named_parameters()}
    expected = {renamed(name): tuple(as_convolution(name, value).shape) for name, value in theirs.named_parameters()}
    assert parameters == expected
    assert sum(value.numel() for value in ours.parameters()) == 28_589_128


def test_initialisation_is_timms(make_network):
    """Weights from a normal distribution of deviation 0.02, biases 0, LayerScale 1e-6."""
    ours = make_network("model=convnext", "model.depths=[1,1,1]", "model.widths=[96,192,384]").state_dict()
    for name, value in ours.items():
        if value.ndim > 1:
            error = 5 * (2 / value.numel()) ** 0.5
            assert abs(value.mean()) <= error * 0.02 and abs(value.std() / 0.02 - 1) <= error, name
        else:
            start = 1e-6 if "layer_scale" in name else 1.0 if "norm" in name and "weight" in name else 0.0
            # a norm stands first in each downsample layer too, where it has no name of its own
            start = 1.0 if re.fullmatch(r"stages\.\d\.0\.0\.weight", name) else start
            assert torch.equal(value, torch.full_like(value, start)), name


def test_drop_path_rates_grow_linearly_as_timms(make_network):
    theirs = timm.models.convnext.ConvNeXt(depths=(3, 3, 9, 3), dims=(8, 8, 8, 8), drop_path_rate=0.1)
    ours = make_network(*TINY[:3], "model.widths=[8,8,8,8]", "model.drop_path=0.1")
    rates = [[0.0] + [each.rate for each in ours.modules() if type(each).__name__ == "DropPath"]]
    rates += [[getattr(block.drop_path, "drop_prob", 0.0) for stage in theirs.stages for block in stage.blocks]]
    assert rates[0] == pytest.approx(rates[1], abs=1e-7)


def test_recipe_is_cifar_sized(make_network):
    parameters = sum(parameter.numel() for parameter in make_network("model=convnext").parameters())
    assert 0.3e6 < parameters < 0.4e6
