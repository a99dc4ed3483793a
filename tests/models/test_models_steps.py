"""The steps from ResNet-20 to ConvNeXt as docs/convnext_steps.md tells them, and the block that takes most of them."""

import re
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from omegaconf import OmegaConf
from torch import nn

from cifar100.evaluation.costs import count_costs
from cifar100.models.shape import Shape

DOCUMENT = (Path(__file__).parents[2] / "docs" / "convnext_steps.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head; "-" stands for nothing."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`").removeprefix("-") for cell in row] for row in rows]


ALONE = {name: (typed.split(), other, *costs) for name, typed, other, *costs in table("Each step alone")}
TOGETHER = {}
for name, added, *costs in table("One on top of the other"):
    before = TOGETHER[list(TOGETHER)[-1]][0] if TOGETHER else []
    TOGETHER[name] = (before + added.split(), *costs)
ROWS = {f"{name}, alone": (typed, *costs) for name, (typed, _, *costs) in ALONE.items()}
ROWS |= {f"{name}, on top": row for name, row in TOGETHER.items()}


@pytest.mark.parametrize("row", ROWS)
def test_step_trains_and_costs_what_it_says(row, make_network, check_step):
    typed, *said = ROWS[row]
    network = make_network("model=resnet20", *typed)
    costs = count_costs(network, (3, 32, 32))
    assert [f"{costs.parameters:,}", f"{costs.macs / 1e6:.2f}"] == said
    assert not costs.uncounted
    check_step(network)


def test_no_step_is_missing():
    steps = "stage ratio|patchify stem|depthwise convolution|width|inverted bottleneck|moved-up depthwise layer|GELU|"
    steps += "fewer activations|fewer norms|LN for BN|separate downsampling|LayerScale"
    kernels = {f"kernel size {size}" for size in (5, 7, 9, 11)}  # 3 is what the others have
    for rows in (ALONE, TOGETHER):
        assert {*steps.split("|")} | kernels <= set(rows)


def test_alone_adds_to_what_it_is_compared_with():
    for name, (typed, other, *_) in ALONE.items():
        before = ALONE[other][0] if other else []
        assert typed[: len(before)] == before and (len(typed) > len(before) or name == "ResNet-20"), name


@pytest.mark.parametrize("rows", [ALONE, TOGETHER], ids=["alone", "together"])
def test_each_step_changes_the_network(rows, compose):
    models = [compose("model=resnet20", *row[0]).model for row in rows.values()]
    models = [str(OmegaConf.to_container(model, resolve=True)) for model in models]
    assert len(set(models)) == len(models)


def test_last_step_is_convnext(make_network, check_agreement):
    """Typed step by step or at once: ConvNeXt's parameters, names, logits and gradients, in float64."""
    at_once = re.search(r"typed out:\n\n    python train.py (.*?)\n\n", DOCUMENT, re.DOTALL)[1]
    for typed in (TOGETHER["LayerScale"][0], at_once.replace("\\", "").split()[1:]):
        theirs = make_network("model=convnext", "model.width_multiplier=1.5", "model.drop_path=0")
        ours = make_network("model=resnet20", *typed)
        check_agreement(ours, theirs, torch.randn(2, 3, 32, 32).double(), lambda name: name)


@pytest.mark.parametrize("layer_scale", [1e-6, None])
def test_block_is_convnexts(layer_scale, make_port, check_agreement):
    """ConvNeXt's block is timm's, as tests/models/test_models_convnext.py holds it to be."""
    typed = ["norm=ln", "activation=gelu", "mixer=depthwise"]
    options = {"mixer_position": "first", "norms": "one", "activations": "one", "layer_scale": layer_scale}
    ours = make_port("block", "block=inverted_bottleneck", *typed)(Shape(24, 24, 1, 8), 0.0, **options)
    theirs = make_port("block", "block=convnext", *typed)(Shape(24, 24, 1, 8), 0.0, layer_scale=layer_scale)
    check_agreement(ours, theirs, torch.randn(2, 24, 8, 8).double(), lambda name: name)


@pytest.mark.parametrize("shape", [Shape(16, 16, 1, 8), Shape(16, 32, 2, 8)], ids=["constant", "strided"])
def test_expansion_1_is_the_bottleneck(shape, make_port, check_agreement):
    """Without its expansion the block is ResNet's bottleneck without its own."""
    ours = make_port("block", "block=inverted_bottleneck", "mixer=conv", "block.expansion=1")(shape, 0.0)
    theirs = make_port("block", "block=bottleneck", "mixer=conv", "block.expansion=1")(shape, 0.0)
    names = {"conv1": "expand", "norm1": "expand_norm", "norm2": "norm", "conv3": "project", "norm3": "project_norm"}
    names |= {name: name for name in ("mixer", "shortcut.0", "shortcut.1")}
    check_agreement(ours, theirs, torch.randn(2, 16, 8, 8).double(), names)


def test_block_is_the_inverted_residual_of_timm(make_port, check_agreement):
    """MobileNetV2's, but for the activation after the addition."""
    pytest.importorskip("timm")
    from timm.models._efficientnet_blocks import InvertedResidual

    ours = make_port("block", "block=inverted_bottleneck")(Shape(16, 16, 1, 8), 0.0)
    theirs = InvertedResidual(16, 16, exp_ratio=4.0, act_layer=nn.ReLU)
    names = {"conv_pw": "expand", "bn1": "expand_norm", "conv_dw": "mixer", "bn2": "norm"}
    names |= {"conv_pwl": "project", "bn3": "project_norm"}
    names = {f"0.{name}": other for name, other in names.items()}
    check_agreement(ours, nn.Sequential(theirs, nn.ReLU()), torch.randn(2, 16, 8, 8).double(), names)


def test_mixer_first_is_its_formula(make_port):
    """Figure 3c, where the shape changes: depthwise convolution, expansion and projection, each with its batch norm."""
    typed = ["block=inverted_bottleneck", "block.mixer_position=first"]
    block = make_port("block", *typed)(Shape(16, 32, 2, 8), 0.0).double()
    state, x = block.state_dict(), torch.randn(2, 16, 8, 8).double()

    def bn(x, name):
        mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
        weight, bias = (state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias"))
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    out = bn(F.conv2d(x, state["mixer.weight"], stride=2, padding=1, groups=16), "norm").relu()
    out = bn(F.conv2d(out, state["expand.weight"]), "expand_norm").relu()
    out = bn(F.conv2d(out, state["project.weight"]), "project_norm")
    expected = (out + bn(F.conv2d(x, state["shortcut.0.weight"], stride=2), "shortcut.1")).relu()
    torch.testing.assert_close(block(x), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [Shape(16, 16, 1, 8), Shape(16, 32, 2, 8)], ids=["constant", "strided"])
def test_options_go_together(shape, make_port, check_map):
    build = make_port("block", "block=inverted_bottleneck")
    for position, norms, activations in product(["middle", "first"], ["all", "one"], ["all", "one"]):
        block = build(shape, 0.0, mixer_position=position, norms=norms, activations=activations, layer_scale=0.1)
        check_map(block, (2, 16, 8, 8), (2, shape.out_channels, shape.out_resolution, shape.out_resolution))
        kinds = [type(each).__name__ for name, each in block.named_modules() if "shortcut" not in name]
        assert kinds.count("BatchNorm2d") == (3 if norms == "all" else 1)
        assert kinds.count("ReLU") == (3 if activations == "all" else 1)
        assert (block.expand.bias is None) == (block.project.bias is None) == (norms == "all")


def test_block_refuses_what_it_cannot_do(make_port, check_refusal):
    build = make_port("block", "block=inverted_bottleneck")
    for wrong in ({"expansion": 0}, {"mixer_position": "last"}, {"norms": "two"}, {"activations": "none"}):
        with pytest.raises(ValueError) as refused:
            build(Shape(16, 16, 1, 8), 0.0, **wrong)
        check_refusal(refused.value)


def test_zero_start_needs_the_last_norm(make_network, check_refusal):
    network = make_network("block=inverted_bottleneck", "init.zero_last_norm=true")
    assert not network.stages[0][0].project_norm.weight.any()
    with pytest.raises(ValueError) as refused:
        make_network("block=inverted_bottleneck", "block.norms=one", "init.zero_last_norm=true")
    check_refusal(refused.value)
