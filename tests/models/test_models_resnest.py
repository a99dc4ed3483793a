"""ResNeSt and split attention against timm's, with copied weights, against plain formulas and published sizes."""

import pytest
import torch
from torch import nn

from cifar100.models.shape import Shape

IMAGENET = [
    *("stem=deep", "stem.conv_stride=2", "stem.pool=true", "init=torch", "data.num_classes=1000"),
    *("data.resolution=32", "model.stem_width=64", "model.widths=[256,512,1024,2048]"),
]
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("radix", "cardinality", "shape", "kernel_size"),
    [
        (1, 1, Shape(16, 16, 1, 8), 3),
        (2, 1, Shape(16, 16, 1, 8), 3),
        (2, 1, Shape(16, 32, 2, 8), 5),
        (2, 4, Shape(64, 32, 1, 8), 3),
        (4, 2, Shape(64, 64, 2, 8), 3),
        (3, 1, Shape(30, 20, 1, 7), 1),
    ],
)
def test_split_attention_is_timms(radix, cardinality, shape, kernel_size, training, make_port, check_agreement):
    layers = pytest.importorskip("timm.layers")
    options = [f"mixer.radix={radix}", f"mixer.cardinality={cardinality}", f"mixer.kernel_size={kernel_size}"]
    ours = make_port("mixer", "mixer=split_attention", *options)(shape)
    theirs = layers.SplitAttn(
        *(shape.in_channels, shape.out_channels, kernel_size, shape.stride),
        groups=cardinality,
        radix=radix,
        norm_layer=nn.BatchNorm2d,
    )
    x = torch.randn(3, shape.in_channels, shape.resolution, shape.resolution).double()
    check_agreement(ours, theirs, x, training=training)


@pytest.mark.parametrize("shape", [Shape(64, 64, 1, 8), Shape(32, 64, 1, 8), Shape(64, 128, 2, 8)])
@pytest.mark.parametrize(("radix", "cardinality"), [(0, 1), (1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("avd_first", [False, True])
def test_block_is_timms_bottleneck(shape, radix, cardinality, avd_first, make_port, check_agreement):
    """Radix 0 is a plain convolution, with a norm and activation of the block's own."""
    resnest = pytest.importorskip("timm.models.resnest")
    resnet = pytest.importorskip("timm.models.resnet")
    options = [f"mixer.radix={radix}", f"mixer.cardinality={cardinality}"] if radix else ["mixer=conv"]
    ours = make_port("block", "block=resnest", f"block.avd_first={avd_first}", *options)(shape, 0.0)
    ours_narrow, planes = shape.out_channels // 4, shape.out_channels // 4
    if cardinality > 1:  # timm's width grows with the cardinality
        ours = make_port("block", "block=resnest", "block.expansion=2", f"block.avd_first={avd_first}", *options)(shape)
        ours_narrow = planes * cardinality
    downsample = None
    if not shape.constant:
        downsample = resnet.downsample_avg(shape.in_channels, shape.out_channels, 1, shape.stride)
    theirs = resnest.ResNestBottleneck(
        *(shape.in_channels, planes, shape.stride, downsample),
        radix=radix,
        cardinality=cardinality,
        avd=True,
        avd_first=avd_first,
    )
    assert ours.conv1.out_channels == ours_narrow
    check_agreement(ours, theirs, torch.randn(2, shape.in_channels, shape.resolution, shape.resolution).double())


@pytest.mark.parametrize(("training", "batch"), [(True, 8), (False, 2)])
def test_network_is_timms(training, batch, make_network, check_agreement):
    """ResNeSt-14, whole: deep stem, stages, head. The norm of hidden units sees one value per image; statistics of few
    images are so ill-conditioned that rounding would show."""
    timm = pytest.importorskip("timm")
    ours = make_network("model=resnest20", *IMAGENET, "model.depths=[1,1,1,1]")
    images = torch.randn(batch, 3, 32, 32).double()
    check_agreement(ours, timm.create_model("resnest14d"), images, training=training)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ([], 27_483_240),  # ResNeSt-50: 27.5 M in the paper's table 3
        (["mixer.radix=4", "mixer.cardinality=2", "block.expansion=3.2"], 30_417_592),  # 4s2x40d
        (["mixer.radix=1", "mixer.cardinality=4", "block.expansion=2.6666667"], 25_677_000),  # 1s4x24d
    ],
    ids=["2s1x64d", "4s2x40d", "1s4x24d"],
)
def test_full_size_has_the_published_parameters(options, parameters, make_network):
    with torch.device("meta"):
        network = make_network("model=resnest20", *IMAGENET, "model.depths=[3,4,6,3]", *options)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


@pytest.mark.parametrize("radix", [1, 2, 4])
def test_weights_are_a_mean_over_splits(radix, make_port):
    weights = make_port("mixer", "mixer=split_attention", f"mixer.radix={radix}")(Shape(16, 24, 1, 8)).weights.eval()
    out = weights(torch.randn(5, 24))
    assert out.shape == (5, radix, 24) and (out > 0).all() and (out < 1).all()
    if radix > 1:
        torch.testing.assert_close(out.sum(1), torch.ones(5, 24))


@pytest.mark.parametrize("kernel_sizes", [[5, 7], [3, 5, 7], [7]])
@pytest.mark.parametrize("shape", [Shape(16, 16, 1, 8), Shape(16, 32, 2, 8)])
def test_large_kernel_split_attention_is_its_formula(kernel_sizes, shape, make_port):
    """Softmax of a perceptron of the splits' summed means, over the splits; a sigmoid where there is one."""
    options = [f"mixer.kernel_sizes={kernel_sizes}", "activation=gelu"]
    mixer = make_port("mixer", "mixer=large_kernel_split_attention", *options)(shape).double().eval()
    x = torch.randn(2, shape.in_channels, 8, 8).double()
    splits = []
    for size, conv, norm in zip(kernel_sizes, mixer.convs, mixer.norms, strict=True):
        filtered = nn.functional.conv2d(x, conv.weight, None, shape.stride, size // 2, groups=shape.in_channels)
        splits.append(nn.functional.gelu(norm(filtered)))
    layers = mixer.weights
    hidden = nn.functional.gelu(layers.norm(layers.reduce(sum(splits).mean((2, 3), keepdim=True))))
    logits = layers.expand(hidden).view(2, len(kernel_sizes), -1, 1, 1)
    weights = logits.softmax(1) if len(kernel_sizes) > 1 else logits.sigmoid()
    torch.testing.assert_close(mixer(x), sum(split * weights[:, i] for i, split in enumerate(splits)), **TIGHT)


@pytest.mark.parametrize("block", ["convnext", "basic", "resnest"])
@pytest.mark.parametrize("norm", ["bn", "ln", "none"])
def test_large_kernel_split_attention_trains(block, norm, make_network, check_step):
    overrides = [f"block={block}", f"norm={norm}", "mixer=large_kernel_split_attention"]
    check_step(make_network("model=resnet20", *overrides, "model.depths=[1,1,1]"))


@pytest.mark.parametrize("norm", ["bn", "gn", "ln", "none"])
@pytest.mark.parametrize("options", [[], ["mixer.radix=1"], ["mixer.radix=2", "mixer.cardinality=2"]])
def test_recipe_takes_other_norms_and_splits(norm, options, make_network, check_step):
    check_step(make_network("model=resnest20", f"norm={norm}", "model.depths=[1,1,1]", *options))


def test_average_downsampling_is_an_option(make_network):
    """Without it the mixer strides; where it comes first, the mixer sees the smaller map."""
    last, first, without = (
        make_network("model=resnest20", *options).stages[1][0]
        for options in ([], ["block.avd_first=true"], ["block.avd=false"])
    )
    assert isinstance(last.pool2, nn.AvgPool2d) and isinstance(first.pool1, nn.AvgPool2d)
    assert last.mixer.conv.stride == first.mixer.conv.stride == (1, 1) and without.mixer.conv.stride == (2, 2)
    assert not any(isinstance(each, nn.AvgPool2d) for each in (without.pool1, without.pool2, last.pool1, first.pool2))


def test_deep_stem_strides(make_port):
    for options, stride in ([], 1), (["stem.conv_stride=2"], 2), (["stem.conv_stride=2", "stem.pool=true"], 4):
        stem = make_port("stem", "stem=deep", *options)(3, 16)
        assert stem.stride == stride and stem(torch.randn(2, 3, 32, 32)).shape == (2, 16, 32 // stride, 32 // stride)
    bare = make_port("stem", "stem=deep", "block=preact")(3, 16)
    assert isinstance(bare.norm1, nn.BatchNorm2d) and isinstance(bare.norm3, nn.Identity)


@pytest.mark.parametrize(
    "overrides",
    [
        ["mixer.radix=0"],
        ["mixer.radix=3"],
        ["mixer.cardinality=0"],
        ["mixer.cardinality=16"],
        ["mixer.reduction=0"],
        ["mixer.min_hidden=0"],
        ["mixer.kernel_size=4"],
        ["block.expansion=3"],
        ["block.expansion=0"],
        ["block.avd=false", "block.avd_first=true"],
        ["block.shortcut=none"],
        ["stem=deep", "stem.conv_stride=3"],
        ["stem=deep", "model.stem_width=1"],
        ["mixer=large_kernel_split_attention", "mixer.kernel_sizes=[]"],
        ["mixer=large_kernel_split_attention", "mixer.kernel_sizes=[5,6]"],
    ],
    ids=" ".join,
)
def test_refuses_with_a_cure(overrides, make_network, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_network("model=resnest20", *overrides)
    check_refusal(refused.value)
