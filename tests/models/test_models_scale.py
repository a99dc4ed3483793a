"""Depth and width are the user's choice in every recipe, and every block goes on every base.

On the meta device: shapes without the arithmetic, which the tests of laws and recipes have.
"""

from collections.abc import Iterator

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from cifar100.config import build
from cifar100.models.network import Network

DEPTHS = {"resnet20": [3, 3, 3], "resnet32": [5, 5, 5], "resnet56": [9, 9, 9]}


@pytest.fixture(autouse=True)
def on_meta() -> Iterator[None]:
    with torch.device("meta"):
        yield


def stage_widths(network: Network) -> tuple[int, list[int]]:
    """Channels that the stem and each stage put out."""
    maps: list[Tensor] = []
    for module in (network.stem, *network.stages):
        module.register_forward_hook(lambda module, inputs, out: maps.append(out))
    with torch.no_grad():
        logits = network(torch.empty(2, network.in_channels, network.resolution, network.resolution))
    assert logits.shape == (2, network.num_classes)
    stem, *stages = (each.shape[1] for each in maps)
    return stem, stages


def block_counts(network: Network, model: dict) -> list[int]:
    """How many blocks each stage holds, of the kind that the recipe names for it."""
    stages = model["stage"] if isinstance(model["stage"], list) else [model["stage"]] * len(network.stages)
    kinds = [stage["block"]["_target_"] for stage in stages]
    return [
        sum(f"{type(each).__module__}.{type(each).__qualname__}" == kind for each in stage.modules())
        for kind, stage in zip(kinds, network.stages, strict=True)
    ]


def build_described(config: DictConfig) -> tuple[nn.Module, dict]:
    """The network and, as plain data, what it was built from."""
    return build(config.model), OmegaConf.to_container(config.model, resolve=True)


def test_recipe_is_as_deep_and_wide_as_told(model_choice, compose):
    base = compose(f"model={model_choice}").model
    depths = [depth + index for index, depth in enumerate(base.depths)]
    widths = [2 * width for width in base.widths]
    typed = [f"model.depths={depths}", f"model.widths={widths}", "model.width_multiplier=1.5"]
    network, model = build_described(compose(f"model={model_choice}", *typed))
    assert block_counts(network, model) == depths
    stem, stages = stage_widths(network)
    assert stages == [3 * width for width in base.widths]
    assert stem == (1.5 * base.stem_width if base.stem_width else stages[0])


@pytest.mark.parametrize(
    "base", ["resnet20", *(pytest.param(each, marks=pytest.mark.slow) for each in ("resnet32", "resnet56"))]
)
def test_base_takes_every_block(base, block_choice, compose):
    network, model = build_described(compose(f"model={base}", f"block={block_choice}"))
    assert block_counts(network, model) == DEPTHS[base]
    assert stage_widths(network) == (16, [16, 32, 64])


def test_stages_can_be_added_and_taken_away(compose):
    for depths, widths in (([2], [24]), ([1, 2, 1, 1], [8, 16, 32, 64])):
        typed = [f"model.depths={depths}", f"model.widths={widths}"]
        network, model = build_described(compose("model=resnet20", *typed))
        assert block_counts(network, model) == depths
        assert stage_widths(network)[1] == widths
