"""MBConv, relative self-attention and CoAtNet against timm's, with copied weights, and a plain formula."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from cifar100.models.mixer.relative_self_attention import relative_offsets
from cifar100.models.shape import Shape

TIGHT = {"rtol": 1e-10, "atol": 1e-10}
# timm's names and this project's
NAMES = [
    (r"pre_norm", "norm1"),
    (r"conv1_1x1", "expand"),
    (r"conv2_kxk", "mixer"),
    (r"conv3_1x1", "project"),
    (r"se\.fc1", "attention.reduce"),
    (r"se\.fc2", "attention.expand"),
    (r"attn\.qkv", "mixer.query_key_value"),
    (r"attn\.proj", "mixer.project"),
    (r"attn\.rel_pos\.relative_position_bias_table", "mixer.relative_bias"),
    (r"mlp\.fc1", "expand"),
    (r"mlp\.fc2", "project"),
    (r"norm1\.norm", "norm1"),
    (r"shortcut\.expand", "shortcut.1"),
    (r"\.blocks\.", "."),
]


def renamed(name: str) -> str:
    if re.search(r"(^|\.)norm[12]\.", name) and "mbconv" in name:
        name = re.sub(r"norm([12])\.", lambda match: f"norm{int(match[1]) + 1}.", name)
    name = name.removeprefix("mbconv.")
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def in_block(kinds: dict[str, str]) -> Callable[[str], str]:
    """:func:`renamed`, where ``kinds`` maps the beginning of a name to its block's kind."""
    return lambda name: renamed(next((kind for start, kind in kinds.items() if name.startswith(start)), "") + name)


def translated(name: str, value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """timm's value in our shape: its SE is of convolutions, its heads order the channels of queries, keys and values,
    and it stores a position's biases, not a head's, in a row."""
    if "relative_position_bias_table" in name:
        return value.T
    if "attn.qkv" in name:
        return value.unflatten(0, (len(value) // 96, 3, 32)).transpose(0, 1).reshape(like.shape)
    return value.reshape(like.shape)


@pytest.mark.parametrize("shape", [Shape(16, 16, 1, 7), Shape(16, 32, 2, 8), Shape(16, 16, 2, 8)])
def test_block_is_timms(shape, make_port, check_agreement):
    maxxvit = pytest.importorskip("timm.models.maxxvit")
    ours = make_port("block", "block=mbconv", "activation=gelu")(shape, 0.0)
    cfg = maxxvit.MaxxVitConvCfg(attn_act_layer="relu")
    theirs = maxxvit.MbConvBlock(shape.in_channels, shape.out_channels, shape.stride, cfg=cfg)
    x = torch.randn(3, shape.in_channels, shape.resolution, shape.resolution).double()
    x = x.to(memory_format=torch.channels_last)
    check_agreement(ours, theirs, x, in_block({"": "mbconv."}), convert=translated)


def timms_stages(depths: list[int], widths: list[int], stem_width: int, resolution: int) -> nn.Module:
    """The stages of timm's CoAtNet behind a stem that halves the images of that resolution."""
    maxxvit = pytest.importorskip("timm.models.maxxvit")
    cfg = maxxvit.MaxxVitCfg(
        embed_dim=tuple(widths),
        depths=tuple(depths),
        stem_width=stem_width,
        conv_cfg=maxxvit.MaxxVitConvCfg(attn_act_layer="relu"),
    )
    return maxxvit.MaxxVit(cfg, img_size=2 * resolution, num_classes=0).stages


def test_stages_are_timms(make_network, check_agreement):
    """All four stages of a small CoAtNet with the strides of the published ones."""
    depths, widths = [1, 2, 2, 1], [8, 16, 32, 64]
    ours = make_network(
        *("model=coatnet", f"model.depths={depths}", f"model.widths={widths}", "model.strides=[2,2,2,2]"),
        *("model.stem_width=8", "model.drop_path=0"),
    )
    theirs = timms_stages(depths, widths, 8, 32)
    x = torch.randn(2, 8, 32, 32).double().to(memory_format=torch.channels_last)
    check_agreement(ours.stages, theirs, x, in_block({"0.": "mbconv.", "1.": "mbconv."}), convert=translated)


@pytest.mark.parametrize(
    ("depths", "widths", "stem_width", "published"),
    [([2, 3, 5, 2], [96, 192, 384, 768], 64, 25), ([2, 6, 14, 2], [96, 192, 384, 768], 64, 42)],
    ids=["CoAtNet-0", "CoAtNet-1"],
)
def test_full_size_has_the_published_parameters(depths, widths, stem_width, published, make_network):
    """The stages hold exactly timm's parameters; with our stem and head that is the paper's 25 and 42 million, of which
    it tells neither."""
    full = [f"model.depths={depths}", f"model.widths={widths}", f"model.stem_width={stem_width}"]
    full += ["model.strides=[2,2,2,2]", "stem.conv_stride=2", "data.resolution=224", "data.num_classes=1000"]
    with torch.device("meta"):
        ours = make_network("model=coatnet", *full)
        theirs = timms_stages(depths, widths, stem_width, 112)
    count = [sum(parameter.numel() for parameter in stages.parameters()) for stages in (ours.stages, theirs)]
    assert count[0] == count[1]
    total = sum(parameter.numel() for parameter in ours.parameters())
    assert total / 1e6 == pytest.approx(published, rel=0.03)


def test_attention_by_formula(make_port):
    """Equation 3: softmax over all pixels j of x_i x_j + w_(i - j), pixel by pixel."""
    mixer = make_port("mixer", "mixer=relative_self_attention", "mixer.head_channels=4")(Shape(8, 8, 1, 3)).double()
    for value in mixer.parameters():
        nn.init.normal_(value)
    x = torch.randn(1, 8, 3, 3).double()
    query, key, value = mixer.query_key_value(x).unflatten(1, (3, 2, 4)).unbind(1)
    table = mixer.relative_bias.unflatten(1, (5, 5))
    out = torch.zeros(1, 2, 4, 3, 3).double()
    pixels = [(row, column) for row in range(3) for column in range(3)]
    for head in range(2):
        for i, j in pixels:
            logits = [
                query[0, head, :, i, j] @ key[0, head, :, k, m] / 2 + table[head, i - k + 2, j - m + 2]
                for k, m in pixels
            ]
            weights = torch.stack(logits).softmax(0)
            out[0, head, :, i, j] = sum(w * value[0, head, :, k, m] for w, (k, m) in zip(weights, pixels, strict=True))
    torch.testing.assert_close(mixer(x), mixer.project(out.flatten(1, 2)), **TIGHT)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_offsets_number_every_pair_by_its_difference(size):
    offsets = relative_offsets(size)
    pixels = [(row, column) for row in range(size) for column in range(size)]
    difference = {}
    for i, first in enumerate(pixels):
        for j, second in enumerate(pixels):
            key = (first[0] - second[0], first[1] - second[1])
            assert difference.setdefault(key, offsets[i, j].item()) == offsets[i, j].item()
    assert sorted(difference.values()) == list(range((2 * size - 1) ** 2))


@pytest.mark.parametrize(("channels", "head_channels", "heads"), [(64, 32, 2), (16, 32, 1), (112, 32, 2), (96, 24, 4)])
def test_heads_divide_the_channels(channels, head_channels, heads, make_port):
    mixer = make_port("mixer", "mixer=relative_self_attention", f"mixer.head_channels={head_channels}")
    assert mixer(Shape(channels, channels, 1, 4)).heads == heads


@pytest.mark.parametrize(
    "overrides", [["block=mbconv", "block.expansion=0"], ["mixer=relative_self_attention", "mixer.head_channels=0"]]
)
def test_refusals_name_the_option(overrides, make_port, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_port(overrides[0].split("=")[0], *overrides)(Shape(16, 16, 1, 8))
    check_refusal(refused.value)
