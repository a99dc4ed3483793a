"""The depthwise convolution whose gradients are made of forward convolutions, against PyTorch's own."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar100.evaluation.costs import count_costs
from cifar100.models import depthwise_conv as subject
from cifar100.models.depthwise_conv import DepthwiseConv2d

ROUNDING = {torch.float32: 2e-6, torch.bfloat16: 6e-3}  # of the largest number; PyTorch's own errors are as large


@pytest.fixture(autouse=True)
def everywhere(monkeypatch):
    """The fast form wherever it is possible, also on processors on which it is not the faster one."""
    monkeypatch.setattr(subject, "_is_faster", lambda x, weight: True)


@pytest.fixture
def calls(monkeypatch) -> list[tuple[int, ...]]:
    """The kernels that the fast form was called with."""
    seen, convolve = [], subject._convolve

    def record(x, weight, bias, dilation):
        seen.append(tuple(weight.shape))
        return convolve(x, weight, bias, dilation)

    monkeypatch.setattr(subject, "_convolve", record)
    return seen


def conv_of(channels: int, kernel_size: tuple[int, int], dilation=1, **options) -> DepthwiseConv2d:
    torch.manual_seed(0)
    dilation = (dilation, dilation) if isinstance(dilation, int) else dilation
    padding = tuple(spacing * (size // 2) for spacing, size in zip(dilation, kernel_size, strict=True))
    return DepthwiseConv2d(
        channels, channels, kernel_size, padding=padding, dilation=dilation, groups=channels, **options
    )


def results(conv: nn.Module, x: Tensor, upstream: Tensor, forward=None) -> list[Tensor]:
    """Output, and the gradients of the input, the weight and the bias if there is one."""
    x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    conv.zero_grad()
    out = conv(x) if forward is None else forward(x)
    out.backward(upstream.to(out.dtype))
    return [out.detach(), x.grad, *(each.grad.clone() for each in conv.parameters())]


def plain(conv: nn.Conv2d, x: Tensor) -> Tensor:
    return F.conv2d(x, conv.weight, conv.bias, 1, conv.padding, conv.dilation, conv.groups)


def check_close(ours: list[Tensor], exact: list[Tensor], rounding: float) -> None:
    for mine, expected in zip(ours, exact, strict=True):
        error = (mine.double() - expected.double()).abs().max() / expected.abs().max()
        assert error <= rounding, f"relative error {error:.1e}"


@pytest.mark.parametrize(
    ("images", "channels", "size", "kernel_size", "dilation"),
    [
        (5, 24, (10, 10), (7, 7), 1),
        (40, 17, (8, 12), (5, 5), 1),  # an odd number of channels, images that fill no whole number of parts
        (67, 24, (8, 8), (1, 11), 1),
        (3, 16, (9, 9), (1, 21), 1),  # taps that see padding only
        (3, 16, (9, 5), (21, 1), 1),
        (4, 16, (16, 16), (7, 7), 3),
        (4, 8, (4, 4), (7, 7), 3),
        (2, 8, (17, 11), (5, 5), (4, 2)),
        (2, 3, (1, 1), (5, 5), 1),
        (1, 16, (6, 7), (3, 3), (2, 4)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"])
def test_it_is_pytorchs_to_rounding(images, channels, size, kernel_size, dilation, dtype, layout, calls):
    conv = conv_of(channels, kernel_size, dilation).to(dtype)
    x, upstream = (torch.randn(images, channels, *size).to(dtype).to(memory_format=layout) for _ in range(2))
    ours = results(conv, x, upstream)
    exact = results(conv.double(), x.double(), upstream.double(), partial(plain, conv))
    assert calls and [each.dtype for each in ours] == [dtype] * 4
    check_close(ours, exact, ROUNDING.get(dtype, 1e-13))


def test_autocast_rounds_as_pytorchs_does(calls):
    """Under autocast, and where the backward pass lies inside or outside of it."""
    conv = conv_of(24, (7, 7))
    x = torch.randn(6, 24, 8, 8).contiguous(memory_format=torch.channels_last)
    upstream = torch.randn_like(x)
    exact = results(conv, x.double(), upstream, lambda x: plain(conv.double(), x))
    conv.float()
    with torch.autocast("cpu", torch.bfloat16):
        inside = results(conv, x, upstream)
    outside = results(conv, x, upstream, torch.autocast("cpu", torch.bfloat16)(conv))
    assert calls and inside[0].dtype == torch.bfloat16 and inside[1].dtype == inside[2].dtype == torch.float32
    check_close(inside, exact, 1e-2)
    assert all(map(torch.equal, inside, outside))


def test_bits_repeat_with_any_number_of_threads(calls):
    conv = conv_of(48, (7, 7)).bfloat16()
    x, upstream = (torch.randn(33, 48, 16, 16).bfloat16().contiguous(memory_format=torch.channels_last) for _ in "12")
    first, threads = results(conv, x, upstream), torch.get_num_threads()
    try:
        for count in (1, 1, 2, 3):
            torch.set_num_threads(count)
            assert all(map(torch.equal, first, results(conv, x, upstream))), f"{count} threads"
    finally:
        torch.set_num_threads(threads)
    assert calls


def test_the_registered_operators_are_sound():
    """Schemas, shapes without data and gradients, as torch.library checks them."""
    x = torch.randn(3, 8, 6, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight, bias = torch.randn(8, 1, 5, 3, requires_grad=True), torch.randn(8, requires_grad=True)
    torch.library.opcheck(subject._convolve, (x, weight, bias, [1, 2]))
    torch.library.opcheck(subject._convolve, (x, weight, None, [3, 7]))
    torch.library.opcheck(subject._weight_gradient, (x.detach(), torch.randn_like(x), [5, 3], [1, 2]))


def test_compiled_without_a_break_it_gives_the_same(calls):
    """By inductor, with every form of kernel that recipes have."""
    conv = nn.Sequential(conv_of(16, (7, 7)), nn.GELU(), conv_of(16, (1, 5), bias=False), conv_of(16, (5, 5), 2))
    x = torch.randn(4, 16, 8, 8).contiguous(memory_format=torch.channels_last)
    upstream = torch.randn_like(x)
    with torch.autocast("cpu", torch.bfloat16):
        eager = results(conv, x, upstream)
        compiled = results(conv, x, upstream, torch.compile(conv, fullgraph=True, dynamic=False))
    check_close(compiled, eager, 1e-2)


@pytest.mark.parametrize(
    ("recipe", "backend"),
    [
        ("main_3_convnext", "aot_eager"),
        *(
            pytest.param(recipe, "inductor", marks=pytest.mark.slow)  # most of whose time is the C++ compiler's
            for recipe in ("main_3_convnext", "future_1_segnext", "future_2_lsknet")
        ),
    ],
)
def test_whole_networks_compile_without_a_break(recipe, backend, make_network):
    network = make_network(f"row={recipe}").to(memory_format=torch.channels_last)
    images = torch.randn(4, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    upstream = torch.randn(4, 100)
    compiled = torch.compile(network, fullgraph=True, dynamic=False, backend=backend)
    with torch.autocast("cpu", torch.bfloat16):
        expected = results(network, images, upstream)
        found = results(network, images, upstream, compiled)
    check_close(found[:1], expected[:1], 5e-2)


@pytest.mark.parametrize("recipe", ["main_3_convnext", "future_1_segnext", "future_2_lsknet", "future_3_hornet"])
def test_networks_use_it_in_training_only(recipe, make_network, calls):
    network = make_network(f"row={recipe}").train()
    images = torch.randn(2, 3, 32, 32)
    network(images).sum().backward()
    assert any(max(shape[2:]) >= 5 for shape in calls)
    calls.clear()
    network.eval()(images).sum().backward()
    with torch.no_grad():
        network.train()(images)
    assert not calls


def test_who_records_a_network_sees_a_convolution(calls):
    conv = conv_of(8, (5, 5))
    x = torch.randn(2, 8, 6, 6)
    exported = torch.export.export(conv.train(), (x,))
    assert "aten.conv2d" in str(exported.graph) and "cifar100" not in str(exported.graph)
    traced = torch.jit.trace(conv.train(), x, check_trace=False)
    assert "_convolution" in str(traced.inlined_graph)
    assert not calls
    costs = count_costs(nn.Sequential(conv), (8, 6, 6))
    assert costs.macs == 8 * 36 * 25 and not costs.uncounted


def test_other_convolutions_are_left_alone(calls):
    x = torch.randn(2, 8, 6, 6)
    for options in (
        {"stride": 2, "padding": 2, "groups": 8},
        {"padding": 2, "groups": 4},
        {"padding": 0, "groups": 8},
        {"padding": 2, "groups": 8, "padding_mode": "circular"},
    ):
        ours, theirs = (kind(8, 8, 5, **options) for kind in (DepthwiseConv2d, nn.Conv2d))
        theirs.load_state_dict(ours.state_dict())
        assert torch.equal(ours(x), theirs(x))
    assert not calls


def test_it_is_off_by_the_environment():
    code = (
        "import torch; from cifar100.models import depthwise_conv as subject; "
        "subject._is_faster = lambda *_: True; "
        "out = subject.DepthwiseConv2d(8, 8, 5, padding=2, groups=8)(torch.randn(2, 8, 6, 6)); "
        "print(type(out.grad_fn).__name__)"
    )
    environment = {**os.environ, "CIFAR100_FAST_DEPTHWISE": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "ConvolutionBackward0"


def test_a_parameter_that_is_frozen_gets_no_gradient(calls):
    conv = conv_of(8, (5, 5))
    conv.weight.requires_grad_(False)
    x = torch.randn(2, 8, 6, 6, requires_grad=True)
    conv(x).sum().backward()
    assert calls and conv.weight.grad is None and conv.bias.grad is not None and x.grad is not None
