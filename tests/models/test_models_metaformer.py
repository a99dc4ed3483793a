"""The MetaFormer block and MLP-Mixer against timm's, with copied weights, and against published figures."""

import re
from functools import partial

import pytest
import torch
from torch import nn

from cifar100.models.shape import Shape

TIGHT = {"rtol": 1e-10, "atol": 1e-10}
MIXER = ["block=metaformer", "mixer=token_mlp", "norm=ln", "activation=gelu"]
TRANSFORMER = ["block=transformer", "norm=ln", "activation=gelu"]
# timm's names and this project's
NAMES = [
    (r"mlp_tokens\.fc1", "mixer.expand"),
    (r"mlp_tokens\.fc2", "mixer.project"),
    (r"attn\.qkv", "mixer.query_key_value"),
    (r"attn\.proj", "mixer.project"),
    (r"attn\.rel_pos\.relative_position_bias_table", "mixer.relative_bias"),
    (r"mlp(_channels)?\.fc1", "expand"),
    (r"mlp(_channels)?\.fc2", "project"),
    (r"norm1\.norm", "norm1"),
    (r"ls(\d)\.gamma", r"layer_scale\1.scale"),
    (r"shortcut\.expand", "shortcut.1"),
    (r"^stem\.proj", "stem.conv"),
    (r"^blocks\.", "stages.0."),
    (r"^norm\.", "head.norm."),
    (r"^head\.(weight|bias)$", r"head.classifier.\1"),
]


def renamed(name: str) -> str:
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def translated(name: str, value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """timm's value in the shape of ours: linear layers are 1x1 convolutions here; timm orders the channels of queries,
    keys and values by head first, and stores a position's biases, not a head's, in a row."""
    if "relative_position_bias_table" in name:
        return value.T
    if "attn.qkv" in name:
        heads = len(value) // 3 // 32
        return value.unflatten(0, (heads, 3, 32)).transpose(0, 1).reshape(like.shape)
    return value.reshape(like.shape)


@pytest.mark.parametrize(("channels", "resolution", "ratios"), [(24, 4, (0.5, 4.0)), (16, 7, (2.0, 3.0))])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_block_is_timms_mixer_block(channels, resolution, ratios, layout, make_port, check_agreement):
    mixer = pytest.importorskip("timm.models.mlp_mixer")
    options = [f"mixer.expansion={ratios[0]}", f"block.expansion={ratios[1]}"]
    ours = make_port("block", *MIXER, *options)(Shape(channels, channels, 1, resolution), 0.0)
    theirs = mixer.MixerBlock(channels, resolution**2, ratios)
    x = torch.randn(3, channels, resolution, resolution).double().to(memory_format=layout)
    tokens = {"into": lambda x: x.flatten(2).transpose(1, 2)}
    tokens["back"] = lambda out: out.transpose(1, 2).unflatten(2, (resolution, -1))
    check_agreement(ours, theirs, x, renamed, convert=translated, **tokens)


@pytest.mark.parametrize("shape", [Shape(64, 64, 1, 6), Shape(32, 64, 2, 8), Shape(64, 64, 2, 8)])
@pytest.mark.parametrize("layer_scale", [None, 1e-6])
def test_block_is_timms_coatnet_transformer(shape, layer_scale, make_port, check_agreement):
    maxxvit = pytest.importorskip("timm.models.maxxvit")
    rel_pos = pytest.importorskip("timm.layers").RelPosBias
    size = shape.out_resolution
    ours = make_port("block", *TRANSFORMER, f"block.layer_scale={layer_scale or 'null'}")(shape, 0.0)
    theirs = maxxvit.TransformerBlock2d(
        *(shape.in_channels, shape.out_channels, shape.stride),
        rel_pos_cls=partial(rel_pos, (size, size)),
        cfg=maxxvit.MaxxVitTransformerCfg(init_values=layer_scale),
    )
    x = torch.randn(2, shape.in_channels, shape.resolution, shape.resolution).double()
    check_agreement(ours, theirs, x.to(memory_format=torch.channels_last), renamed, convert=translated)


def test_network_is_timms_mixer(make_network, check_agreement):
    mixer = pytest.importorskip("timm.models.mlp_mixer")
    ours = make_network("model=mlp_mixer", "model.depths=[2]", "model.widths=[24]", "model.drop_path=0")
    theirs = mixer.MlpMixer(num_classes=100, img_size=32, patch_size=4, num_blocks=2, embed_dim=24)
    check_agreement(ours, theirs, torch.randn(2, 3, 32, 32).double(), renamed, convert=translated)


@pytest.mark.parametrize(
    ("depth", "width", "patch", "published", "exact"),
    [(12, 768, 16, 59.9, 59_880_472), (8, 512, 32, 19.0, 19_104_624), (24, 1024, 16, 208.2, 208_196_168)],
    ids=["B/16", "S/32", "L/16"],
)
def test_full_size_has_the_published_parameters(depth, width, patch, published, exact, make_network):
    """Millions as timm lists them (S/32 and L/16: 19 and 208 in the paper's table 1), and the sum of its layers."""
    with torch.device("meta"):
        network = make_network(
            *("model=mlp_mixer", "data.resolution=224", "data.num_classes=1000"),
            *(f"model.depths=[{depth}]", f"model.widths=[{width}]"),
            *(f"stem.kernel_size={patch}", f"stem.conv_stride={patch}"),
        )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == exact and parameters / 1e6 == pytest.approx(published, abs=0.15)


def test_token_mlp_in_a_pyramid(make_network, check_step):
    network = make_network("model=resnet20", "block=metaformer", "mixer=token_mlp")
    tokens = [block.mixer.expand.in_channels for stage in network.stages for block in stage if hasattr(block, "mixer")]
    assert tokens == [1024] * 3 + [256] * 3 + [64] * 3
    check_step(network)


@pytest.mark.parametrize("block", ["metaformer", "van", "hornet", "transformer"])
@pytest.mark.parametrize("stage", ["strided", "separate", "csp"])
def test_block_fits_every_stage(block, stage, make_network, check_step):
    check_step(make_network("model.depths=[1,2]", "model.widths=[8,16]", f"block={block}", f"stage={stage}"))


def test_block_of_van_by_formula(make_port):
    """Two branches, LayerScale on both, a depthwise convolution between the perceptron's first layer and activation."""
    block = (
        make_port("block", "block=van", "mixer=depthwise", "activation=gelu")(Shape(8, 8, 1, 6), 0.0).double().eval()
    )
    state = {name: nn.init.normal_(value) for name, value in block.named_parameters()}
    x = torch.randn(2, 8, 6, 6).double()

    def norm(name: str, value: torch.Tensor) -> torch.Tensor:
        weight, bias = (state[f"{name}.{each}"][:, None, None] for each in ("weight", "bias"))
        return value / (1 + 1e-5) ** 0.5 * weight + bias

    conv = nn.functional.conv2d
    middle = conv(norm("norm1", x), state["mixer.weight"], state["mixer.bias"], padding=3, groups=8)
    middle = x + middle * state["layer_scale1.scale"][:, None, None]
    hidden = conv(norm("norm2", middle), state["expand.weight"], state["expand.bias"])
    hidden = conv(hidden, state["depthwise.weight"], state["depthwise.bias"], padding=1, groups=32)
    hidden = conv(nn.functional.gelu(hidden), state["project.weight"], state["project.bias"])
    expected = middle + hidden * state["layer_scale2.scale"][:, None, None]
    torch.testing.assert_close(block(x), expected, **TIGHT)


@pytest.mark.parametrize(
    ("position", "channels"), [("standard", 16), ("pre", 8), ("post", 16), ("identity", 16), ("inner", 64)]
)
def test_attention_sits_where_it_is_told(position, channels, make_port):
    seen = []
    build = make_port("block", "block=metaformer")

    class Spy(nn.Identity):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.width = width

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append((self.width, x.shape[1]))
            return x

    build(Shape(8, 16, 2, 8), 0.0, attention=Spy, attention_position=position)(torch.randn(2, 8, 8, 8))
    assert seen == [(channels, channels)]


@pytest.mark.parametrize("option", ["block.expansion=0", "block.mlp_kernel_size=2", "mixer.expansion=-1"])
def test_refusals_name_the_cure(option, make_port, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_port("block", *MIXER, option)(Shape(16, 16, 1, 8), 0.0)
    check_refusal(refused.value)
