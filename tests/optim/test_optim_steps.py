"""Updates against written-out formulas, torch and transformers."""

import math

import pytest
import torch
import transformers
from torch import nn

from cifar100.optim.adafactor import adafactor
from cifar100.optim.adamw import adamw
from cifar100.optim.layout import _differs
from cifar100.optim.muon import muon
from cifar100.optim.sgd import sgd


def train(network, optimizer, make_gradients, steps=4):
    for step in range(steps):
        make_gradients(network, step)
        optimizer.step()
    return [parameter.detach().clone() for parameter in network.parameters()]


def assert_all_equal(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def gradient_history(make_network, make_gradients, steps=4):
    network, history = make_network(), []
    for step in range(steps):
        make_gradients(network, step)
        history.append([parameter.grad.double() for parameter in network.parameters()])
    return history


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("channels_last", [False, True])
def test_sgd_is_the_formula(make_network, make_gradients, nesterov, channels_last):
    lr, momentum, decay = 0.1, 0.9, 5e-4
    weights = [parameter.detach().double() for parameter in make_network().parameters()]
    velocities = [torch.zeros_like(weight) for weight in weights]
    for gradients in gradient_history(make_network, make_gradients):
        for weight, velocity, gradient in zip(weights, velocities, gradients, strict=True):
            gradient = gradient + decay * weight
            velocity.mul_(momentum).add_(gradient)
            weight -= lr * (gradient + momentum * velocity if nesterov else velocity)
    network = make_network(channels_last)
    trained = train(network, sgd(network, lr, momentum, decay, nesterov), make_gradients)
    for result, weight in zip(trained, weights, strict=True):
        torch.testing.assert_close(result.double(), weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels_last", [False, True])
def test_adamw_is_the_formula(make_network, make_gradients, channels_last):
    lr, (beta1, beta2), eps, decay = 1e-2, (0.9, 0.99), 1e-8, 0.05
    start = make_network()
    decays = [decay if p.ndim > 1 and "scale" not in name else 0.0 for name, p in start.named_parameters()]
    weights = [parameter.detach().double() for parameter in start.parameters()]
    first, second = [torch.zeros_like(w) for w in weights], [torch.zeros_like(w) for w in weights]
    for step, gradients in enumerate(gradient_history(make_network, make_gradients), start=1):
        for i, gradient in enumerate(gradients):
            first[i] = beta1 * first[i] + (1 - beta1) * gradient
            second[i] = beta2 * second[i] + (1 - beta2) * gradient**2
            ratio = first[i] / (1 - beta1**step) / ((second[i] / (1 - beta2**step)).sqrt() + eps)
            weights[i] = weights[i] * (1 - lr * decays[i]) - lr * ratio
    network = make_network(channels_last)
    trained = train(network, adamw(network, lr, (beta1, beta2), eps, decay), make_gradients)
    for result, weight in zip(trained, weights, strict=True):
        torch.testing.assert_close(result.double(), weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factory", [sgd, adamw])
def test_layouts_are_set_right_after_a_restore(make_network, make_gradients, factory):
    """torch's fused kernels would pair up the wrong elements without a word. Of a first step the gradients are, too."""
    reference = make_network()
    expected = train(reference, factory(reference), make_gradients)
    network = make_network(channels_last=True)
    optimizer = factory(network)
    for step in range(4):
        make_gradients(network, step)
        for parameter in network.parameters():
            parameter.grad = parameter.grad.contiguous()
        for state in optimizer.state.values():
            state.update({key: value.contiguous() for key, value in state.items() if key != "step"})
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step()
    for result, weight in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(result.detach(), weight, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("accumulation", [1, 3])
def test_autograd_lays_out_gradients_as_their_parameters(make_network, accumulation):
    """Which later steps rely on."""
    network = make_network(channels_last=True)
    for _ in range(accumulation):
        network(torch.randn(2, 3, 8, 8)).square().sum().backward()  # from contiguous images
    for name, parameter in network.named_parameters():
        assert not _differs(parameter.grad, parameter), name


def test_muon_equals_torch_on_matrices_and_vectors(make_network, make_gradients):
    network, copy = make_network(), make_network()
    trained = train(network, muon(network, lr=0.02, adamw_lr=1e-3), make_gradients)

    hidden = [copy.stages[1].weight, copy.stages[4].weight]
    matrices = [nn.Parameter(weight.detach().flatten(1)) for weight in hidden]
    plain = [p for n, p in copy.named_parameters() if p.ndim == 1 or n == "layer_scale"]
    rest = [copy.stem.weight, copy.stages[3].weight, copy.head.weight]
    first = torch.optim.Muon(matrices, lr=0.02, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    groups = [{"params": rest, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    second = torch.optim.AdamW(groups, lr=1e-3, fused=True)
    for step in range(4):
        make_gradients(copy, step)
        for weight, matrix in zip(hidden, matrices, strict=True):
            matrix.grad = weight.grad.flatten(1)
        first.step()
        second.step()
    for weight, matrix in zip(hidden, matrices, strict=True):
        weight.data.copy_(matrix.detach().view_as(weight))
    assert_all_equal(trained, [parameter.detach() for parameter in copy.parameters()])


def test_muon_update_is_orthogonal_and_of_adamw_size(make_network, make_gradients):
    network = make_network()
    optimizer = muon(network, lr=1e-2, weight_decay=0)
    before = network.stages[1].weight.detach().clone()
    make_gradients(network, 0)
    gradient = network.stages[1].weight.grad.flatten(1).double()
    optimizer.step()
    update = (before - network.stages[1].weight.detach()).flatten(1).double() / (1e-2 * 0.2 * math.sqrt(72))
    assert 0.6 < torch.linalg.svdvals(update).min() <= torch.linalg.svdvals(update).max() < 1.3
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    assert torch.cosine_similarity(update.flatten(), (left @ right).flatten(), dim=0) > 0.97


def test_muon_does_not_depend_on_layout_beyond_rounding(make_network, make_gradients):
    results = []
    for channels_last in (False, True):
        network = make_network(channels_last)
        results.append(train(network, muon(network, lr=1e-2), make_gradients))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-3)  # bfloat16 iterations, 4 steps of 1e-2


def test_muon_steps_with_a_closure_and_without_some_gradients(make_network, make_gradients):
    network = make_network()
    optimizer = muon(network)
    make_gradients(network, 0)
    network.stages[4].weight.grad = network.head.bias.grad = None
    before = network.stages[4].weight.detach().clone()
    assert optimizer.step(lambda: torch.tensor(2.0)) == 2
    assert torch.equal(network.stages[4].weight, before)
    assert network.stages[4].weight not in optimizer.state and network.stages[1].weight in optimizer.state


def transformers_adafactor(network, **options):
    plain = [p for name, p in network.named_parameters() if p.ndim == 1 or name == "layer_scale"]
    decayed = [p for name, p in network.named_parameters() if p.ndim > 1 and name != "layer_scale"]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    return transformers.Adafactor(groups, **options)


def test_adafactor_is_transformers(make_network, make_gradients):
    network, copy = make_network(), make_network()
    reference = transformers_adafactor(copy, lr=1e-3, scale_parameter=False, relative_step=False)
    assert_all_equal(
        train(network, adafactor(network, lr=1e-3), make_gradients), train(copy, reference, make_gradients)
    )


@pytest.mark.parametrize("warmup_init", [False, True])
def test_relative_step_is_transformers_times_the_schedule(make_network, make_gradients, warmup_init):
    options = {"lr": None, "scale_parameter": True, "relative_step": True, "warmup_init": warmup_init}
    network, copy = make_network(), make_network()
    optimizer = adafactor(network, **options)
    trained = train(network, optimizer, make_gradients)
    assert_all_equal(trained, train(copy, transformers_adafactor(copy, **options), make_gradients))

    half, full = make_network().double(), make_network().double()
    start = half.stem.weight.detach().clone()
    halved = adafactor(half, **options, weight_decay=0)
    torch.optim.lr_scheduler.LambdaLR(halved, lambda step: 0.5)
    train(half, halved, make_gradients, steps=1)
    train(full, adafactor(full, **options, weight_decay=0), make_gradients, steps=1)
    torch.testing.assert_close(2 * (half.stem.weight - start), full.stem.weight - start)
