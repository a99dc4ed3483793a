"""The mixers of SegNeXt, LSKNet and HorNet against plainly written formulas and published sizes."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar100.models.shape import Shape

Weights = dict[str, Tensor]
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def conv(weights: Weights, name: str, x: Tensor, dilation: int = 1) -> Tensor:
    """The convolution of that name, padded to keep the map; depthwise where its kernel has one input channel."""
    kernel = weights[f"{name}.weight"]
    padding = [dilation * (size // 2) for size in kernel.shape[2:]]
    groups = x.shape[1] // kernel.shape[1]
    return F.conv2d(x, kernel, weights[f"{name}.bias"], padding=padding, dilation=dilation, groups=groups)


def msca(weights: Weights, x: Tensor) -> Tensor:
    """SegNeXt, equations 1 and 2: Out = Conv1x1(sum of scales) * F, inside the attention unit with its shortcut."""
    features = F.gelu(conv(weights, "project_in", x))
    local = conv(weights, "local", features)
    scales = [local]
    for index in range(3):
        row = conv(weights, f"strips.{index}.0", local)
        scales.append(conv(weights, f"strips.{index}.1", row))
    out = conv(weights, "weigh", torch.stack(scales).sum(0)) * features
    return x + conv(weights, "project_out", out)


def lsk(weights: Weights, x: Tensor) -> Tensor:
    """LSKNet, sections 3.2 and 3.3, with the kernels 5x5 and 7x7 at dilation 3, written out for both."""
    features = F.gelu(conv(weights, "project_in", x))
    first = conv(weights, "chain.0", features)
    second = conv(weights, "chain.1", first, dilation=3)
    first, second = conv(weights, "reduce.0", first), conv(weights, "reduce.1", second)
    joined = torch.cat([first, second], 1)
    pooled = torch.stack([joined.mean(1), joined.max(1).values], 1)
    mask = conv({name: value for name, value in weights.items() if "select" in name}, "select", pooled).sigmoid()
    selected = mask[:, :1] * first + mask[:, 1:] * second
    return x + conv(weights, "project_out", conv(weights, "weigh", selected) * features)


def gnconv(weights: Weights, x: Tensor) -> Tensor:
    """HorNet, section 3.1, of order 3 at 32 channels: p_{k+1} = f_k(q_k) * g_k(p_k) / alpha on 8, 16, 32 channels."""
    projected = conv(weights, "project_in", x)
    p, q = projected[:, :8], conv(weights, "depthwise", projected[:, 8:])
    p = q[:, :8] * p / 3
    p = q[:, 8:24] * conv(weights, "widen.0", p) / 3
    p = q[:, 24:] * conv(weights, "widen.1", p) / 3
    return conv(weights, "project_out", p)


@pytest.mark.parametrize(
    ("choice", "options", "formula"), [("msca", [], msca), ("lsk", [], lsk), ("gnconv", ["mixer.narrowest=8"], gnconv)]
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [1, 4, 9, 12])
def test_mixer_is_the_papers(choice, options, formula: Callable[[Weights, Tensor], Tensor], layout, size, make_port):
    mixer = make_port("mixer", f"mixer={choice}", "activation=gelu", *options)(Shape(32, 32, 1, size)).double()
    weights = {name: nn.init.normal_(value, 0, 0.3) for name, value in mixer.named_parameters()}
    copies = {name: value.detach().clone().requires_grad_() for name, value in weights.items()}
    x, other = (torch.randn(2, 32, size, size, generator=torch.manual_seed(1)).double() for _ in range(2))
    x = x.to(memory_format=layout).requires_grad_()
    out, expected = mixer(x), formula(copies, other.requires_grad_())
    torch.testing.assert_close(out, expected, **TIGHT)
    upstream = torch.randn_like(expected)
    for each in (out, expected):
        (each * upstream).sum().backward()
    torch.testing.assert_close(x.grad, other.grad, **TIGHT)
    for name, value in weights.items():
        torch.testing.assert_close(value.grad, copies[name].grad, **TIGHT)


@pytest.mark.parametrize("choice", ["token_mlp", "msca", "lsk", "gnconv"])
def test_changing_shape_is_pooled_and_projected_first(choice, make_port):
    build = make_port("mixer", f"mixer={choice}")
    strided, constant = build(Shape(16, 32, 2, 8)), build(Shape(32, 32, 1, 4))
    constant.load_state_dict({k: v for k, v in strided.state_dict().items() if not k.startswith("entry")})
    x = torch.randn(2, 16, 8, 8)
    pooled = x.unflatten(2, (4, 2)).unflatten(4, (4, 2)).mean((3, 5))
    projected = F.conv2d(pooled, strided.entry[1].weight, strided.entry[1].bias)
    torch.testing.assert_close(strided(x), constant(projected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("channels", "options", "widths"),
    [
        (32, [], [16, 32]),
        (64, [], [16, 32, 64]),
        (128, [], [16, 32, 64, 128]),
        (48, [], [24, 48]),
        (6, [], [6]),
        (512, ["mixer.narrowest=32"], [32, 64, 128, 256, 512]),
        (20, ["mixer.order=4"], [2, 5, 10, 20]),
        (20, ["mixer.order=1"], [20]),
    ],
)
def test_gnconv_halves_its_widths(channels, options, widths, make_port):
    mixer = make_port("mixer", "mixer=gnconv", *options)(Shape(channels, channels, 1, 4))
    assert mixer.widths == widths
    assert mixer(torch.randn(1, channels, 4, 4)).shape == (1, channels, 4, 4)


@pytest.mark.parametrize("links", [1, 2, 3])
def test_lsk_takes_any_chain(links, make_port, check_map):
    chain = [f"mixer.kernel_sizes={[3, 5, 7][:links]}", f"mixer.dilations={[1, 2, 3][:links]}"]
    mixer = make_port("mixer", "mixer=lsk", *chain)(Shape(12, 12, 1, 8))
    assert mixer.weigh.in_channels == 12 // links
    check_map(mixer, (2, 12, 8, 8), (2, 12, 8, 8))


def test_hornet_has_the_published_parameters(make_network):
    """HorNet-T with 7x7 kernels: 22 M in the paper's table 1, 22.4 M in the authors' list; orders 2, 3, 4, 5."""
    tiny = ["model.depths=[2,3,18,2]", "model.widths=[64,128,256,512]", "mixer.narrowest=32", "stem=patchify4"]
    with torch.device("meta"):
        network = make_network("model=hornet", *tiny, "data.num_classes=1000", "data.resolution=224")
    blocks = [stage[-1] for stage in network.stages]
    assert [len(block.mixer.widths) for block in blocks] == [2, 3, 4, 5]
    assert sum(parameter.numel() for parameter in network.parameters()) / 1e6 == pytest.approx(22.4, abs=0.05)


@pytest.mark.parametrize(("mixer", "published"), [("msca", 4.2), ("lsk", 4.3)], ids=["MSCAN-T in SegNeXt", "LSKNet-T"])
def test_encoder_has_the_published_parameters(mixer, published, make_port):
    """Millions, ImageNet's classifier included: blocks at the published depths, widths and expansions, and what lies
    between the stages by its formula."""
    depths, widths, expansions = (3, 3, 5, 2), (32, 64, 160, 256), (8, 8, 4, 4)
    build = make_port("block", "block=van", f"mixer={mixer}")
    total = 0
    for depth, width, expansion in zip(depths, widths, expansions, strict=True):
        with torch.device("meta"):
            block = build(Shape(width, width, 1, 8), 0.0, expansion=expansion)
        total += depth * sum(parameter.numel() for parameter in block.parameters())
    # Overlapping patches, with bias and batch norm: 3x3 kernels between stages; the stem is two of them or one of 7x7.
    total += sum(9 * narrow * wide + 3 * wide for narrow, wide in zip(widths, widths[1:], strict=False))
    total += 9 * 3 * 16 + 3 * 16 + 9 * 16 * 32 + 3 * 32 if mixer == "msca" else 49 * 3 * 32 + 3 * 32
    total += sum(2 * width for width in widths) + 256 * 1000 + 1000  # a layer norm after each stage, the classifier
    assert total / 1e6 == pytest.approx(published, abs=0.06)


@pytest.mark.parametrize(
    "options",
    [
        ["mixer=msca", "mixer.kernel_size=4"],
        ["mixer=msca", "mixer.strip_sizes=[7,8]"],
        ["mixer=lsk", "mixer.kernel_sizes=[5]"],
        ["mixer=lsk", "mixer.kernel_sizes=[5,6]"],
        ["mixer=lsk", "mixer.dilations=[1,0]"],
        ["mixer=lsk", "mixer.kernel_sizes=[]", "mixer.dilations=[]"],
        ["mixer=gnconv", "mixer.order=6"],
        ["mixer=gnconv", "mixer.order=0"],
        ["mixer=gnconv", "mixer.narrowest=0"],
        ["mixer=gnconv", "mixer.order=2", "mixer.narrowest=8"],
        ["mixer=gnconv", "mixer.alpha=0"],
        ["mixer=gnconv", "mixer.kernel_size=0"],
    ],
    ids=" ".join,
)
def test_refusals_name_the_option(options, make_port, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_port("mixer", *options)(Shape(16, 16, 1, 8))
    check_refusal(refused.value)
