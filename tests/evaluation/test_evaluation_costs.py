"""Costs against published figures (on a reference ResNet written here) and against formulas by hand."""

import logging
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cifar100.config import build
from cifar100.evaluation.costs import count_costs, stage_costs
from cifar100.evaluation.layers import layer_table


class Squeeze(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 16, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 16, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.layers(x)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            Squeeze(outputs) if squeeze else nn.Identity(),
        )
        projection = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if inputs == outputs else projection

    def forward(self, x):
        return F.relu(self.residual(x) + self.shortcut(x))


def reference_resnet(depth: int, squeeze: bool = False) -> nn.Module:
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage, width in enumerate((16, 32, 64)):
        for index in range((depth - 2) // 6):
            layers.append(Block(inputs, width, 2 if stage and index == 0 else 1, squeeze))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 100))


@pytest.mark.parametrize(
    ("depth", "squeeze", "parameters", "millions"),
    [
        (20, False, 278_324, 41.2),
        (32, False, 472_756, 69.8),
        (44, False, 667_188, 98.3),
        (56, False, 861_620, 126.8),
        (110, False, 1_736_564, 255.3),
        (20, True, 280_697, 41.3),
    ],
)
def test_published_figures(depth, squeeze, parameters, millions):
    costs = count_costs(reference_resnet(depth, squeeze), (3, 32, 32))
    assert costs.parameters == parameters
    assert round(costs.macs / 1e6, 1) == millions
    assert not costs.uncounted


def test_the_parts_of_a_network_add_up_to_the_whole(compose):
    costs = count_costs(build(compose("model=resnet20").model), (3, 32, 32))
    stages = stage_costs(costs)
    assert [each["name"] for each in stages] == ["stem", "stages.0", "stages.1", "stages.2", "head"]
    assert [each["output"] for each in stages] == [[16, 32, 32], [16, 32, 32], [32, 16, 16], [64, 8, 8], [100]]
    assert stages[0]["parameters"] == 3 * 3 * 3 * 16 + 2 * 16 and stages[-1]["parameters"] == 6_500
    assert sum(each["parameters"] for each in stages) == costs.parameters
    assert sum(each["macs"] for each in stages) == costs.macs


class Operation(nn.Module):
    """A function as a module, with one parameter so that it has a device and a type."""

    def __init__(self, function) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 5))
        self.function = function

    def forward(self, x):
        return self.function(x, self.weight)


def heads(x):  # (1, 4, 10, 6) -> (1, 2, 2, 10, 6)
    return x.unflatten(1, (2, 2))


@pytest.mark.parametrize(
    ("function", "macs"),
    [  # x is (1, 4, 10, 6), weight (6, 5)
        (lambda x, w: x @ w, 4 * 10 * 6 * 5),
        (lambda x, w: w.t() @ x.transpose(2, 3), 4 * 10 * 6 * 5),  # the smaller operand first: heads still count
        (lambda x, w: x @ w[:, 0], 4 * 10 * 6),
        (lambda x, w: w[:, 0] @ w, 6 * 5),
        (lambda x, w: w[:, 0].dot(w[:, 1]), 6),
        (lambda x, w: torch.mv(w.t(), w[:, 0]), 6 * 5),
        (lambda x, w: torch.addmm(w[0], x[0, 0], w), 10 * 6 * 5),
        (lambda x, w: torch.bmm(x[0], x[0].transpose(1, 2)), 4 * 10 * 10 * 6),
        (lambda x, w: torch.baddbmm(x[0, :, :, :1], x[0], x[0].transpose(1, 2)), 4 * 10 * 10 * 6),
        (lambda x, w: torch.einsum("nchw,wk->nchk", x, w), 4 * 10 * 6 * 5),
        (lambda x, w: torch.einsum("...w,wk->...k", x, w), 4 * 10 * 6 * 5),
        (lambda x, w: torch.einsum("n c h w, n c i w -> n c h i", x, x), 4 * 10 * 10 * 6),
        (lambda x, w: F.linear(x, w.t(), w[0]), 4 * 10 * 6 * 5),
        (lambda x, w: F.scaled_dot_product_attention(x, x, x), 2 * 4 * 10 * 10 * 6),
        (lambda x, w: F.scaled_dot_product_attention(x, x[:, :, :3], x[:, :, :3, :4]), 4 * 10 * 3 * (6 + 4)),
        (lambda x, w: F.scaled_dot_product_attention(heads(x), heads(x), heads(x)), 2 * 4 * 10 * 10 * 6),
        (lambda x, w: (x @ x.transpose(2, 3)).softmax(-1) @ x, 2 * 4 * 10 * 10 * 6),
        (lambda x, w: F.conv2d(x, x.new_ones(8, 2, 3, 3), padding="same", groups=2), 8 * 10 * 6 * 2 * 9),
        (lambda x, w: F.conv2d(x, x.new_ones(8, 2, 3, 3), padding=1, groups=2), 8 * 10 * 6 * 2 * 9),
        (lambda x, w: F.conv1d(x[:, 0, :1], x.new_ones(1, 1, 3), padding=1), 6 * 3),
        (lambda x, w: F.adaptive_avg_pool2d(x, 1), 240),
        (lambda x, w: F.adaptive_avg_pool1d(x[0], 2), 240),
        (lambda x, w: x.mean((2, 3)), 240),
        (lambda x, w: x.mean((2, 3), keepdim=True), 240),
        (lambda x, w: x.sum(1), 240),
        (lambda x, w: F.avg_pool2d(x, 2), 240),
        (lambda x, w: F.avg_pool2d(x, 3, stride=1, padding=1), 240 * 9),
        (lambda x, w: F.avg_pool2d(x, (5, 1)), 240),
        (lambda x, w: x.norm(dim=(2, 3)), 240),
        (lambda x, w: x.var((2, 3)), 480),
        (lambda x, w: F.rms_norm(x, (6,), w[:, 0]), 720),
        (lambda x, w: F.rms_norm(x, (6,)), 480),
        (lambda x, w: F.layer_norm(x, (6,), w[:, 0], w[:, 1]), 1200),
        (lambda x, w: F.max_pool2d(x, 2), 0),
        (lambda x, w: x * torch.sigmoid(x) + F.gelu(x).add_(1.0), 0),
    ],
)
def test_operators_by_formula(function, macs):
    costs = count_costs(Operation(function), (4, 10, 6))
    assert costs.macs == macs
    assert not costs.uncounted


FREE = [
    *(nn.ReLU(), nn.ReLU(inplace=True), nn.GELU(), nn.SiLU(), nn.Hardswish(), nn.Mish(), nn.LeakyReLU(), nn.ReLU6()),
    *(nn.ELU(), nn.Hardsigmoid(), nn.Tanh(), nn.Softplus(), nn.PReLU(), nn.Softmax(1), nn.Dropout(), nn.Dropout2d()),
    *(nn.PixelShuffle(2), nn.MaxPool2d(2), nn.AdaptiveMaxPool2d(1), nn.ZeroPad2d(1), nn.ReflectionPad2d(1)),
    *(nn.ChannelShuffle(2), nn.Flatten(), nn.Identity(), nn.Unfold(3)),
]


@pytest.mark.parametrize("layer", FREE, ids=str)
def test_layers_without_multiply_adds_are_known(layer):
    costs = count_costs(nn.Sequential(nn.Conv2d(4, 4, 1), layer), (4, 8, 8))
    assert costs.macs == 4 * 4 * 64
    assert not costs.uncounted


@pytest.mark.parametrize(
    ("layer", "macs"),
    [(nn.BatchNorm2d(4), 2 * 256), (nn.GroupNorm(2, 4), 5 * 256), (nn.BatchNorm2d(4, affine=False), 256)],
)
def test_norms_follow_fvcore(layer, macs):
    assert count_costs(nn.Sequential(nn.Conv2d(4, 4, 1), layer), (4, 8, 8)).macs == 4 * 4 * 64 + macs


def test_an_unknown_operator_is_reported_not_dropped():
    costs = count_costs(Operation(lambda x, w: torch.fft.fft(x).real.cumsum(1).cumsum(2)), (4, 10, 6))
    assert costs.uncounted == {"aten::cumsum": 2, "aten::fft_fft": 1, "aten::real": 1}
    assert "cost unknown: aten::cumsum (2x), aten::fft_fft (1x)" in layer_table(costs)


def test_a_custom_function_is_reported():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x * 2

        @staticmethod
        def backward(context, gradient):
            return gradient * 2

    costs = count_costs(Operation(lambda x, w: Double.apply(x)), (4, 10, 6))
    assert list(costs.uncounted) == ["prim::PythonOp.Double"]


def test_counting_is_quiet_and_leaves_the_model_as_it_was(caplog, capfd):
    model = reference_resnet(20)
    model.train()
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        count_costs(model, (3, 32, 32))
    assert model.training and not model[1].training and model[4].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not model[0]._forward_hooks and not model[0]._forward_pre_hooks
    assert not caplog.records and capfd.readouterr() == ("", "")


def test_shared_weights_count_once():
    layer = nn.Conv2d(4, 4, 1, bias=False)
    costs = count_costs(nn.Sequential(layer, layer), (4, 8, 8))
    assert (costs.parameters, costs.macs) == (16, 2 * 16 * 64)


def test_half_precision_and_compiled_models_count_the_same():
    model = reference_resnet(20)
    expected = count_costs(model, (3, 32, 32))
    compiled = nn.Module()  # torch.compile's wrapper, without the seconds that importing the compiler takes
    compiled._orig_mod = model
    assert count_costs(compiled, (3, 32, 32)) == expected
    assert count_costs(model.bfloat16(), (3, 32, 32)) == expected


def test_layer_table_adds_up_and_joins_equal_blocks():
    costs = count_costs(reference_resnet(110), (3, 32, 32))
    lines = layer_table(costs, depth=1).splitlines()
    rows = [line.split() for line in lines[2:-2]]
    figures = [[int(cell.replace(",", "")) for cell in row[-2:]] for row in rows]
    assert [sum(column) for column in zip(*figures, strict=True)] == [costs.parameters, costs.macs]
    assert any(row[0] == "3-20" and "(18 alike)" in line for row, line in zip(rows, lines[2:-2], strict=True))
    assert "1,736,564 parameters, 255.3 M multiply-adds (255,281,408)" in lines[-1]
    assert max(map(len, layer_table(costs, depth=4).splitlines())) < 120


def test_layer_table_shows_shapes_and_depth():
    table = layer_table(count_costs(reference_resnet(20), (3, 32, 32)), depth=3)
    assert any(line.split()[:3] == ["6.residual.0", "Conv2d", "32x16x16"] for line in table.splitlines())
    assert "Identity" not in table
    with pytest.raises(ValueError, match="depth=0 must be >= 1"):
        layer_table(count_costs(nn.Conv2d(3, 4, 1), (3, 8, 8)), depth=0)
