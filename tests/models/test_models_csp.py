"""Cross-stage-partial stages and dense layers against timm and torchvision, with copied weights, plain formulas, and
published sizes."""

from functools import partial

import pytest
import torch
from torch import nn

from cifar100.evaluation.costs import count_costs
from cifar100.models.shape import Shape

IMAGENET = [
    *("stem=conv7x7", "activation=leaky_relu", "init=torch", "data.num_classes=1000", "data.resolution=64"),
    *("model.stem_width=64", "model.depths=[3,3,5,2]"),
]
RESNET = ["model=csp_resnet20", "block=bottleneck", "block.expansion=2", "stage.expansion=2"]
RESNET += ["model.widths=[128,256,512,1024]"]
RESNEXT = ["model=csp_resnext20", "block.expansion=1", "stage.expansion=1", "model.widths=[256,512,1024,2048]"]
RESNEXT += ["mixer.groups=32", "downsample=grouped_conv3x3", "downsample.groups=32"]
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("shape", "expansion", "groups"),
    [
        (Shape(16, 32, 1, 8), 2, 1),  # as in CSPResNet-50
        (Shape(16, 32, 2, 8), 2, 1),
        (Shape(32, 32, 1, 8), 1, 4),  # as in CSPResNeXt-50
        (Shape(32, 64, 2, 8), 1, 4),
    ],
)
def test_stage_is_timms_cross_stage(shape, expansion, groups, training, make_port, check_agreement):
    cspnet = pytest.importorskip("timm.models.cspnet")
    options = [f"stage.expansion={expansion}", f"mixer.groups={groups}", "activation=leaky_relu"]
    options += ["downsample=grouped_conv3x3", f"downsample.groups={groups}"]
    ours = make_port("stage", "model=csp_resnext20", *options)(shape, 2, [0.0, 0.0])
    theirs = cspnet.CrossStage(
        *(shape.in_channels, shape.out_channels, shape.stride, 1, 2),
        block_ratio=expansion / 2,
        bottle_ratio=0.5,
        expand_ratio=expansion,
        groups=groups,
        cross_linear=True,
        act_layer=partial(nn.LeakyReLU, 0.01),
        norm_layer=nn.BatchNorm2d,
        block_fn=cspnet.BottleneckBlock,
    )
    x = torch.randn(2, shape.in_channels, shape.resolution, shape.resolution).double()
    check_agreement(ours, theirs, x, training=training)


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [("cspresnet50", RESNET, 21_616_168), ("cspresnext50", RESNEXT, 20_569_896)],  # 21.6 and 20.5 M in table 2
)
def test_network_is_timms(name, options, parameters, make_network, check_agreement):
    """CSPResNet-50 and CSPResNeXt-50, whole."""
    timm = pytest.importorskip("timm")
    ours = make_network(*options, *IMAGENET)
    assert sum(parameter.numel() for parameter in ours.parameters()) == parameters
    check_agreement(ours, timm.create_model(name), torch.randn(2, 3, 64, 64).double())


@pytest.mark.parametrize("block", ["basic", "dense"])
@pytest.mark.parametrize("fusion", ["first", "last", "both"])
@pytest.mark.parametrize(("split_ratio", "through"), [(0.25, 8), (0.5, 16), (0.75, 24), (1, 32)])
def test_stage_is_the_papers_formula(block, fusion, split_ratio, through, make_port):
    """Figure 3: the transition before the concatenation (last), after it (first), or both."""
    build = make_port("stage", f"block={block}", "stage=csp")
    stage = build(Shape(16, 32, 2, 16), 2, [0.0, 0.0], fusion=fusion, split_ratio=split_ratio).double().eval()
    x = torch.randn(2, 16, 16, 16).double()
    split = stage.downsample(x)
    around, inner = split[:, : 32 - through], split[:, 32 - through :]
    for each in stage.blocks:
        inner = each(inner)
    assert inner.shape[1] == through + (24 if block == "dense" else 0)
    if fusion != "first":
        conv, norm, activation = stage.transition1
        inner = activation(norm(nn.functional.conv2d(inner, conv.weight)))
    out = torch.cat([around, inner], dim=1)
    if fusion != "last":
        conv, norm, activation = stage.transition2
        out = activation(norm(nn.functional.conv2d(out, conv.weight)))
    assert out.shape == (2, 32, 8, 8)
    torch.testing.assert_close(stage(x), out, **TIGHT)


@pytest.mark.parametrize("options", [[], ["stage.expansion=1"], ["stage.split_ratio=0.75"], ["stage.fusion=last"]])
def test_what_passes_by_meets_no_block(options, make_port):
    """With the blocks' part cut off, the output still depends on the rest of the channels, and only on it."""
    stage = make_port("stage", "stage=csp", *options)(Shape(16, 16, 1, 8), 1, [0.0]).eval()
    around = stage.parts[0]
    x = torch.randn(2, sum(stage.parts), 8, 8, requires_grad=True)
    stage.downsample = stage.expand = nn.Identity()
    stage.blocks = nn.Threshold(float("inf"), 0)  # constant: passes no gradient
    stage(x).square().sum().backward()
    assert x.grad[:, :around].abs().sum() > 0 and not x.grad[:, around:].any()


@pytest.mark.parametrize("training", [True, False])
def test_dense_layer_is_torchvisions(training, make_port, check_agreement):
    densenet = pytest.importorskip("torchvision.models.densenet")
    ours = make_port("block", "block=dense", "block.growth=8")(Shape(20, 28, 1, 8), 0.0)
    theirs = nn.ModuleList([densenet._DenseLayer(20, growth_rate=8, bn_size=4, drop_rate=0)])
    theirs.forward = lambda x: torch.cat([x, theirs[0](x)], dim=1)
    check_agreement(ours, theirs, torch.randn(2, 20, 8, 8).double(), training=training)


@pytest.mark.parametrize("shape", [Shape(20, 20, 1, 8), Shape(20, 40, 2, 8), Shape(20, 8, 1, 8)])
def test_dense_layer_brings_other_shapes_about_by_densenets_transition(shape, make_port, check_agreement):
    densenet = pytest.importorskip("torchvision.models.densenet")
    ours = make_port("block", "block=dense")(shape, 0.0)
    layer = densenet._DenseLayer(20, growth_rate=12, bn_size=4, drop_rate=0)
    transition = densenet._Transition(32, shape.out_channels)
    if shape.stride == 1:
        transition.pool = nn.Identity()
    theirs = nn.ModuleList([layer, transition])
    theirs.forward = lambda x: transition(torch.cat([x, layer(x)], dim=1))
    check_agreement(ours, theirs, torch.randn(2, 20, 8, 8).double())


@pytest.mark.parametrize(("norm", "expected"), [("bn", True), ("gn", False), ("none", False)])
def test_relu_overwrites_what_a_batch_norm_made_and_nothing_else(norm, expected, make_network):
    """Without a norm it would overwrite the maps that the layer keeps."""
    stage = make_network("model=csp_densenet", f"norm={norm}").stages[0]
    found = [stage.blocks[0].activation1, stage.blocks[0].activation2, stage.transition1[2], stage.transition2[2]]
    assert [each.inplace for each in found] == [expected] * 4


def test_stage_grows_by_the_blocks_growth_rate(make_network):
    """Only dense blocks grow, each by its growth rate, however it was typed."""
    for options, growth in ([], 12), (["block.growth=8"], 8), (["block=basic"], 0):
        stage = make_network("model=csp_densenet", *options).stages[0]
        widths = [each.out_channels for each in stage.blocks.modules() if isinstance(each, nn.Conv2d)]
        assert stage.transition1[0].in_channels == 24 + 4 * growth
        assert growth == 0 or set(widths) == {growth, 4 * growth}


def test_split_ratio_1_leaves_nothing_to_pass_by(make_network, check_step):
    """DenseNet itself, what a CSP network is to be set against."""
    network = make_network("model=csp_densenet", "stage.split_ratio=1", "stage.fusion=first", "model.depths=[2,2,2]")
    assert [stage.parts[0] for stage in network.stages] == [0, 0, 0]
    check_step(network)


def test_any_block_fits(block_choice, make_network, check_step):
    network = make_network("model=resnet20", f"block={block_choice}", "stage=csp", "model.depths=[1,1,1]")
    assert all(stage.parts[0] == stage.parts[1] for stage in network.stages)
    check_step(network)


@pytest.mark.parametrize("options", [["stage.fusion=first"], ["stage.fusion=last"], ["stage.expansion=1.5"]])
@pytest.mark.parametrize("norm", ["bn", "none"])
def test_any_fusion_trains(options, norm, make_network, check_step):
    check_step(make_network("model=csp_resnet20", *options, f"norm={norm}", "model.depths=[1,1,1]"))


@pytest.mark.parametrize(
    ("recipe", "parameters", "millions"),
    [("csp_resnet20", 110_500, 14.7), ("csp_resnext20", 574_820, 66.2), ("csp_densenet", 301_660, 66.3)],
)
def test_costs(recipe, parameters, millions, make_network):
    costs = count_costs(make_network(f"model={recipe}"), (3, 32, 32))
    assert costs.parameters == parameters and not costs.uncounted
    assert round(costs.macs / 1e6, 1) == millions


@pytest.mark.parametrize(
    "overrides",
    [
        ["stage.split_ratio=0"],
        ["stage.split_ratio=1.5"],
        ["stage.split_ratio=0.01"],
        ["stage.split_ratio=0.99"],
        ["stage.fusion=none"],
        ["stage.fusion=last", "stage.expansion=2"],
        ["stage.expansion=0"],
        ["stage.growth=-1"],
        ["downsample=grouped_conv3x3", "downsample.groups=3"],
        ["downsample=grouped_conv3x3", "downsample.groups=0"],
        ["block=dense", "block.growth=0"],
        ["block=dense", "block.expansion=0"],
        ["block=dense", "block.attention_position=last"],
    ],
    ids=" ".join,
)
def test_refuses_with_a_cure(overrides, make_network, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_network("model=csp_resnet20", *overrides)
    check_refusal(refused.value)
