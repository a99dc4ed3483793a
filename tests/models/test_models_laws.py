"""The laws of each port, for every choice in conf/."""

import inspect
from itertools import product

import pytest
import torch
import yaml
from hydra.utils import get_object

from cifar100.config import CONF, PRIMITIVES
from cifar100.models.block.basic import BasicBlock
from cifar100.models.drop_path import DropPath
from cifar100.models.shape import Shape

CONSTANT = Shape(16, 16, 1, 8)
SHAPES = [
    CONSTANT,
    Shape(16, 32, 2, 8),
    Shape(16, 32, 1, 8),
    Shape(16, 16, 2, 8),
    Shape(32, 16, 1, 8),
    Shape(24, 24, 1, 7),
]
PRIMITIVE_FILES = sorted(file for group in PRIMITIVES for file in (CONF / group).glob("*.yaml"))


def maps(shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What goes in and what must come out, for a batch of two."""
    inner, outer = shape.resolution, shape.out_resolution
    return (2, shape.in_channels, inner, inner), (2, shape.out_channels, outer, outer)


def check_shapes(build, check_map, check_refusal) -> None:
    """``build(shape)`` maps each shape as promised or refuses it with a cure; the constant shape is never refused."""
    for shape in SHAPES:
        try:
            module = build(shape)
        except ValueError as error:
            assert not shape.constant, error
            check_refusal(error)
        else:
            check_map(module, *maps(shape))


@pytest.mark.parametrize("channels", [16, 24, 64])
def test_norm_keeps_shape(norm_choice, channels, make_port, check_map):
    norm = make_port("norm", f"norm={norm_choice}")
    for resolution in (1, 8):  # 1: the head's norm of pooled features
        shape = (4, channels, resolution, resolution)
        check_map(norm(channels), shape, shape)


def test_activation_keeps_shape(activation_choice, make_port, check_map):
    shape = (2, 16, 8, 8)
    check_map(make_port("activation", f"activation={activation_choice}")(), shape, shape)


@pytest.mark.parametrize("channels", [8, 16, 20, 64, 256])
def test_attention_keeps_shape(attention_choice, channels, make_port, check_map):
    attention = make_port("attention", f"attention={attention_choice}")
    for resolution in (2, 7, 8):
        shape = (2, channels, resolution, resolution)
        check_map(attention(channels), shape, shape)


def test_mixer_maps_its_shape(mixer_choice, make_port, check_map, check_refusal):
    check_shapes(make_port("mixer", f"mixer={mixer_choice}"), check_map, check_refusal)


def test_block_maps_its_shape(block_choice, make_port, check_map, check_refusal):
    block = make_port("block", f"block={block_choice}")
    check_shapes(lambda shape: block(shape, 0.0), check_map, check_refusal)


def test_block_heeds_drop_path(block_choice, make_port, check_refusal):
    try:
        block = make_port("block", f"block={block_choice}")(CONSTANT, 0.25)
    except ValueError as error:
        check_refusal(error)
    else:
        assert 0.25 in [module.rate for module in block.modules() if isinstance(module, DropPath)]


def test_downsample_maps_its_shape(downsample_choice, make_port, check_map, check_refusal):
    downsample = make_port("downsample", f"downsample={downsample_choice}", "stage=separate")
    for shape in (shape for shape in SHAPES if not shape.constant):
        check_map(downsample(shape), *maps(shape))


@pytest.mark.parametrize("depth", [1, 3])
def test_stage_maps_its_shape(stage_choice, depth, make_port, check_map):
    stage = make_port("stage", f"stage={stage_choice}")
    for shape in SHAPES:
        module = stage(shape, depth, [0.0] * depth)
        check_map(module, *maps(shape))
        assert sum(isinstance(each, BasicBlock) for each in module.modules()) == depth


def test_stage_hands_out_drop_paths(stage_choice, make_port):
    module = make_port("stage", f"stage={stage_choice}")(SHAPES[1], 3, [0.0, 0.1, 0.2])
    assert [each.rate for each in module.modules() if isinstance(each, DropPath)] == [0.1, 0.2]


@pytest.mark.parametrize("in_channels", [1, 3])
def test_stem_exposes_its_stride(stem_choice, in_channels, make_port, check_map):
    stem = make_port("stem", f"stem={stem_choice}")(in_channels, 16)
    check_map(stem, (2, in_channels, 32, 32), (2, 16, 32 // stem.stride, 32 // stem.stride))


def test_head_gives_logits(head_choice, make_port, check_map):
    head = make_port("head", f"head={head_choice}")
    for resolution in (1, 4):
        check_map(head(16, 10), (2, 16, resolution, resolution), (2, 10))


def test_init_sets_weights_in_place(init_choice, make_network, check_step):
    network = make_network(f"init={init_choice}")
    assert all(parameter.isfinite().all() for parameter in network.parameters())
    assert check_step(network) < 20
    other = make_network(f"init={init_choice}", "init.zero_last_norm=true")
    assert not other.stages[0][0].norm2.weight.any()


@pytest.mark.parametrize("group", ["attention", "mixer", "block", "stage", "stem", "head", "downsample", "norm"])
def test_factories_make_fresh_weights(group, make_port):
    calls = {"mixer": (CONSTANT,), "block": (CONSTANT, 0.0), "stage": (CONSTANT, 2, [0.0, 0.0]), "stem": (3, 16)}
    calls |= {"head": (16, 10), "downsample": (SHAPES[1],), "norm": (16,), "attention": (16,)}
    for file in (CONF / group).glob("*.yaml"):
        factory = make_port(group, f"{group}={file.stem}")
        first, second = (dict(factory(*calls[group]).named_parameters()) for _ in range(2))
        assert first.keys() == second.keys()
        shared = [name for name in first if first[name].data_ptr() == second[name].data_ptr()]
        assert not shared, f"{group}={file.stem} hands out the same weights twice: {shared}"
        random = [name for name in first if first[name].unique().numel() > 1]
        assert all(not torch.equal(first[name], second[name]) for name in random), f"{group}={file.stem}"


@pytest.mark.parametrize("file", PRIMITIVE_FILES, ids=lambda file: f"{file.parent.name}={file.stem}")
def test_yaml_spells_every_option(file):
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    node = content if "_target_" in content else content[file.parent.name]
    assert node["_partial_"] is True, "a primitive is a factory"
    if not node["_target_"].startswith("cifar100."):
        return
    target = get_object(node["_target_"])
    options = [each for each in inspect.signature(target).parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert {each.name for each in options} == set(node) - {"_target_", "_partial_", "defaults"}
    documentation = "\n".join(each.__doc__ or "" for each in getattr(target, "__mro__", [target]))
    undocumented = [each.name for each in options if f"{each.name}:" not in documentation]
    assert not undocumented, f"{node['_target_']} does not say what {undocumented} do"


def test_shape_refuses_what_cannot_be():
    for arguments in ((0, 16), (16, -1), (16, 16, 0), (16, 16, 1, 0), (16.0, 16), (16, 16, 2, 7)):
        with pytest.raises(ValueError):
            Shape(*arguments)


@pytest.mark.parametrize(("stride", "resolution"), list(product([1, 2, 4], [8, 32])))
def test_shape_after_is_constant(stride, resolution):
    after = Shape(16, 32, stride, resolution).after()
    assert after == Shape(32, 32, 1, resolution // stride) and after.constant
