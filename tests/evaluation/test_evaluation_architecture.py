"""One network typed in two ways has one fingerprint; networks that differ in anything but weights have two."""

import copy
import math
from collections.abc import Callable

import pytest
import torch

from cifar100.config import build
from cifar100.evaluation.architecture import fingerprint

SHAPE = (3, 32, 32)
WIDE = ["model.widths=[64,128,256]", "model.depths=[1,1,1]"]


@pytest.fixture
def network(compose) -> Callable[..., torch.nn.Module]:
    """Called as (*overrides, seed=0)."""

    def make(*overrides: str, seed: int = 0) -> torch.nn.Module:
        torch.manual_seed(seed)
        return build(compose(*overrides).model)

    return make


def same(one: dict, other: dict) -> bool:
    logits = zip(one["train"] + one["eval"], other["train"] + other["eval"], strict=True)
    return one["sha256"] == other["sha256"] and all(math.isclose(a, b, rel_tol=1e-6) for a, b in logits)


@pytest.fixture
def prints(network) -> Callable[[list[str], list[str]], tuple[dict, dict]]:
    """Called as (overrides, other overrides): the fingerprints of both networks."""
    return lambda *typed: tuple(fingerprint(network(*each), SHAPE) for each in typed)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["attention=eca"], ["attention=eca", "attention.kernel_size=3"]),
        ([], ["model=resnet20", "block=basic", "norm=bn"]),
        (["model=resnet32", "model.depths=[3,3,3]"], ["model.widths=[16,32,64]"]),
        (["block=ghost", "mixer=conv"], ["block=basic"]),
    ],
)
def test_one_network_typed_in_two_ways(first, second, prints):
    assert same(*prints(first, second))


@pytest.mark.parametrize(
    ("first", "second", "digests_differ"),
    [
        ([*WIDE, "attention=eca"], [*WIDE, "attention=eca", "attention.kernel_size=3"], True),
        (["attention=eca", "attention.kernel_size=3"], ["attention=eca", "attention.kernel_size=5"], True),
        (["attention=se", "block.attention_position=pre"], ["attention=se", "block.attention_position=post"], True),
        (["attention=se"], ["attention=se", "block.attention_position=post"], False),
        (["attention=none"], ["attention=simam"], False),
        (["attention=simam"], ["attention=simam", "attention.energy_lambda=1e-3"], False),
        (["activation=relu"], ["activation=gelu"], False),
        (["model.drop_path=0"], ["model.drop_path=0.1"], False),
        (["head.dropout=0"], ["head.dropout=0.2"], False),
        (["norm.momentum=0.1"], ["norm.momentum=0.01"], False),
        (["norm.eps=1e-5"], ["norm.eps=1e-3"], False),
        (["mixer.dilation=1"], ["mixer.dilation=2"], False),
        (
            ["model=convnext", "model.depths=[1,1,1]"],
            ["model=convnext", "model.depths=[1,1,1]", "mixer.dilation=2"],
            False,
        ),
    ],
)
def test_networks_that_differ(first, second, digests_differ, prints):
    one, other = prints(first, second)
    assert not same(one, other)
    assert (one["sha256"] != other["sha256"]) == digests_differ


def test_weights_and_running_statistics_do_not_matter(network):
    trained = network(seed=1)
    before = fingerprint(trained, SHAPE)
    trained.train()(torch.randn(4, *SHAPE)).square().mean().backward()
    torch.optim.SGD(trained.parameters(), lr=0.1).step()
    assert fingerprint(trained, SHAPE) == before == fingerprint(network(seed=2), SHAPE)


def test_a_branch_that_starts_at_zero_shows(prints):
    """With the last norm of each block at zero, all that is in the blocks would be invisible in fresh weights."""
    zero = ["init.zero_last_norm=true"]
    assert not same(*prints([*zero, "attention=none"], [*zero, "attention=simam"]))


def test_model_and_random_state_stay_as_they_are(network):
    model = network().to(memory_format=torch.channels_last).eval()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    fingerprint(model, SHAPE)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training and model.stem.training is False
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in before.items())


@pytest.mark.parametrize(
    "model",
    ["resnet110", "resnest20", "mlp_mixer", "csp_densenet", "segnext", "lsknet", "hornet", "coatnet", "ghostnet"],
)
def test_answers_are_finite_and_differ_between_images(model, network):
    found = fingerprint(network(f"model={model}"), SHAPE)
    for mode in ("train", "eval"):
        logits = found[mode]
        assert len(logits) == 8 and all(map(math.isfinite, logits)) and max(map(abs, logits)) < 1e6
        assert not math.isclose(logits[0], logits[4], rel_tol=1e-6)
