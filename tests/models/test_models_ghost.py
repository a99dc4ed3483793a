"""Ghost modules and the blocks made of them against timm, plainly written formulas and published sizes."""

from functools import partial
from math import cos, pi, sin

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cifar100.evaluation.costs import count_costs
from cifar100.models.attention.eca import EfficientChannelAttention
from cifar100.models.block.ghost import GhostBlock
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.mixer.ghost import GhostMixer
from cifar100.models.mixer.ghost_affine import AffineWarp
from cifar100.models.mixer.ghost_eca import GhostEcaMixer
from cifar100.models.shape import Shape

close = partial(torch.testing.assert_close, rtol=0, atol=1e-10)
GHOST = {"primary_conv.0": "primary", "primary_conv.1": "norm1", "cheap_operation.0": "cheap"}
GHOST |= {"cheap_operation.1": "norm2"}


def features(channels: int, resolution: int = 8) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, channels, resolution, resolution, dtype=torch.float64)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("ratio", "kernel_size", "cheap_kernel_size", "stride", "out_channels"),
    [(2, 1, 3, 1, 24), (2, 3, 5, 2, 24), (3, 3, 3, 1, 24), (4, 1, 1, 1, 32), (3, 1, 3, 1, 16), (4, 3, 3, 2, 17)],
)
def test_ghost_module_is_timms(ratio, kernel_size, cheap_kernel_size, stride, out_channels, training, check_agreement):
    timm = pytest.importorskip("timm.models.ghostnet")
    theirs = timm.GhostModule(12, out_channels, kernel_size, ratio, cheap_kernel_size, stride)
    options = {"ratio": ratio, "kernel_size": kernel_size, "cheap_kernel_size": cheap_kernel_size}
    ours = GhostMixer(Shape(12, out_channels, stride, 8), norm=nn.BatchNorm2d, activation=nn.ReLU, **options)
    check_agreement(ours, theirs, features(12), GHOST, training=training)


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
        ("block=ghost mixer=ghost_eca mixer.position=primary", 147_770, 22.0),
        ("block=ghost mixer=ghost_eca", 147_770, 22.1),
        ("block=ghost attention=eca", 147_743, 22.0),
        # norms inside count the maps that are cut off, too, as in the authors' code
        ("block=ghost mixer.ratio=3 block.norm_position=inside", 107_636, 16.5),
        ("block=ghost mixer.ratio=3", 107_576, 16.5),
        ("block=ghost mixer.ratio=4", 82_412, 12.3),
        ("block=ghost mixer.cheap_kernel_size=1", 145_028, 21.3),
        ("block=ghost mixer.cheap_kernel_size=5", 153_092, 23.3),
        ("block=ghost block.replace=first", 218_780, 32.2),
        ("block=ghost block.replace=second", 207_260, 31.0),
        ("block=ghost mixer.kernel_size=1", 28_932, 4.1),
        # Ghost-ResNet-56 on CIFAR-10, s=2, d=3: the paper's table 6 says 0.43 M and 63 M, without norms.
        ("model=resnet56 block=ghost data=cifar10 block.shortcut=padding", 438_154, 66.4),
    ],
)
def test_sizes(overrides, parameters, millions, make_network):
    costs = count_costs(make_network(*overrides.split()), (3, 32, 32))
    assert (costs.parameters, round(costs.macs / 1e6, 1)) == (parameters, millions)
    assert not costs.uncounted


@pytest.mark.parametrize("mixer", ["ghost", "ghost_eca"])
def test_norms_inside_take_the_place_of_the_blocks_own(mixer, make_network):
    network = make_network("block=ghost", f"mixer={mixer}", "block.norm_position=inside", "model.depths=[1,1,1]")
    block = network.stages[1][0]
    kinds = lambda *modules: [type(each) for each in modules]  # noqa: E731
    for module in (block.mixer1, block.mixer2):
        assert kinds(module.norm1, module.norm2) == [nn.BatchNorm2d] * 2
    assert kinds(block.mixer1.activation1, block.mixer1.activation2) == [nn.ReLU] * 2
    last_is_linear = (block.mixer2.activation1, block.mixer2.activation2, block.norm1, block.activation1, block.norm2)
    assert kinds(*last_is_linear) == [nn.Identity] * 5


def test_a_block_with_norms_inside_is_two_of_timms_modules_around_a_shortcut(make_network, check_agreement):
    timm = pytest.importorskip("timm.models.ghostnet")
    torch.manual_seed(0)
    block = make_network("block=ghost", "block.norm_position=inside").stages[0][1].double()
    x = features(16)
    modules = []
    for ours, activates in ((block.mixer1, True), (block.mixer2, False)):
        theirs = timm.GhostModule(16, 16, 3, 2, 3, 1, act_layer=nn.ReLU if activates else nn.Identity).double()
        names = {old: new for old, new in GHOST.items()}
        state = ours.state_dict()
        theirs.load_state_dict(
            {
                key: state[next(key.replace(a, b) for a, b in names.items() if key.startswith(a))]
                for key in theirs.state_dict()
            }
        )
        modules.append(theirs)
    close(block(x), F.relu(modules[1](modules[0](x)) + x))


def test_half_a_block_keeps_its_own_norm_where_its_convolution_stays(make_network):
    network = make_network("block=ghost", "block.replace=first", "block.norm_position=inside", "model.depths=[1,1,1]")
    block = network.stages[0][0]
    assert isinstance(block.norm2, nn.BatchNorm2d) and isinstance(block.norm1, nn.Identity)
    network = make_network("block=ghost", "block.replace=second", "block.norm_position=inside", "model.depths=[1,1,1]")
    block = network.stages[0][0]
    assert isinstance(block.norm1, nn.BatchNorm2d) and isinstance(block.activation1, nn.ReLU)
    assert isinstance(block.norm2, nn.Identity)


def test_grouped_cheap_operation_mixes_the_maps_of_a_group():
    mixer = GhostMixer(Shape(4, 16, 1, 8), ratio=2, cheap_operation="grouped", cheap_groups=4).double()
    x = features(4)
    maps = F.conv2d(x, mixer.primary.weight, padding=1)
    close(mixer(x), torch.cat([maps, F.conv2d(maps, mixer.cheap.weight, padding=1, groups=4)], 1))


def test_norms_inside_and_outside_are_overrides(make_network):
    network = make_network(
        "block=ghost",
        "block.norm_position=outside",
        "mixer.norm=${norm}",
        "mixer.activation=${activation}",
        "model.depths=[1,1,1]",
    )
    block = network.stages[0][0]
    assert [type(each) for each in (block.mixer1.norm1, block.mixer1.norm2, block.norm1)] == [nn.BatchNorm2d] * 3
    assert [type(each) for each in (block.mixer1.activation1, block.mixer1.activation2)] == [nn.ReLU] * 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "mixer=conv",
            "inside needs a Ghost module, which has norms of its own, not ConvMixer; use block.norm_position",
        ),
        ("mixer.norm=${norm}", "gives the mixer its norm and activation; leave mixer.norm and mixer.activation out"),
        ("block.norm_position=behind", "block.norm_position=behind is unknown; choose one of inside, outside"),
        ("mixer.cheap_groups=4", "cheap_groups=4 does not go with cheap_operation=depthwise"),
        ("mixer.cheap_operation=grouped", "cheap_groups=None does not go with cheap_operation=grouped"),
        ("mixer.cheap_operation=grouped mixer.cheap_groups=3", "cheap_groups=3 must divide the 8 intrinsic maps"),
    ],
)
def test_refused_forms(overrides, message, make_network):
    inside = [] if "norm_position" in overrides else ["block.norm_position=inside"]
    with pytest.raises(ValueError, match=message):
        make_network("block=ghost", *inside, *overrides.split())


SHAPE = Shape(8, 8, 1, 8)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GhostMixer(SHAPE, ratio=1), "ratio=1 of a Ghost module must be .* at least 2; 1 is mixer=conv"),
        (lambda: GhostMixer(SHAPE, ratio=2.5), "ratio=2.5 of a Ghost module must be a whole number"),
        (lambda: GhostMixer(SHAPE, kernel_size=2), "kernel_size=2 must be odd"),
        (lambda: GhostMixer(SHAPE, cheap_kernel_size=0), "cheap_kernel_size=0 must be odd"),
        (lambda: GhostMixer(SHAPE, cheap_operation="wavelet"), "cheap_operation=wavelet is unknown; choose"),
        (
            lambda: GhostMixer(SHAPE, cheap_operation="affine", cheap_kernel_size=5),
            "cheap_kernel_size=5 has no effect on cheap_operation=affine; leave it out",
        ),
        (lambda: GhostEcaMixer(SHAPE, eca=nn.Identity, position="ghosts"), "mixer.position=ghosts is unknown; choose"),
        (
            lambda: GhostBlock(
                *(SHAPE, 0.0),
                mixer=GhostMixer,
                norm=nn.Identity,
                activation=nn.ReLU,
                attention=nn.Identity,
                replace="all",
            ),
            "block.replace=all is unknown; choose one of first, second, both",
        ),
    ],
)
def test_refusals(build, message):
    with pytest.raises(ValueError, match=message):
        build()
