"""The bounds on what is built from a record: they stop what is beyond all use, and no recipe of this project."""

import resource
import time
from collections.abc import Callable

import pytest
import torch

from cifar100.config import CONF, recipe
from cifar100.evaluation.bounded import outline

RECIPES = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))


@pytest.fixture
def resolved(compose) -> Callable[..., dict]:
    """Called as (*overrides): the network that they describe, as a record holds it."""
    return lambda *overrides: recipe(compose(*overrides))["model"]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_within_bounds_and_takes_no_memory(name, resolved):
    network = outline(resolved(f"model={name}"), "here")
    assert all(tensor.is_meta for tensor in network.state_dict().values())


@pytest.mark.parametrize(
    "override", ["data=tiny_imagenet", "model.width_multiplier=10", "model.depths=[18,18,18]", "mixer=token_mlp"]
)
def test_large_networks_that_people_train_are_within_bounds(override, resolved):
    assert outline(resolved("model=resnet20", override), "here")


@pytest.mark.parametrize(
    "changes",
    [{"widths": [65536, 65536, 65536]}, {"depths": [2000, 1, 1]}, {"depths": [10**15, 1, 1]}, {"stem_width": 65536}],
    ids=str,
)
def test_what_is_refused_costs_neither_memory_nor_time(changes, resolved):
    model = resolved() | changes
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(ValueError) as error:
        outline(model, "here")
    assert str(error.value).startswith("here: ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19, "half a GiB, in units of KiB"
    assert time.process_time() - start < 60


def test_bounds_end_with_the_look(resolved, monkeypatch):
    with pytest.raises(ValueError):
        outline(resolved() | {"widths": [65536, 65536, 65536]}, "here")
    monkeypatch.setattr("cifar100.evaluation.bounded.MOST_VALUES", 1)
    assert torch.nn.Linear(10, 10).weight.numel() == 100
