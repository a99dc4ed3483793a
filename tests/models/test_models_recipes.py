"""The laws of recipes, for every one in conf/, and of primitives that users add."""

import copy

import pytest
import torch

from cifar100.config import CONF, build
from cifar100.evaluation.costs import count_costs

ATTENTION = """
from torch import nn


class Scale(nn.Module):
    def __init__(self, channels, *, kernel_size=1):
        super().__init__()
        self.scale = nn.Conv2d(channels, channels, kernel_size, groups=channels)

    def forward(self, x):
        return x * self.scale(x).sigmoid()
"""


def test_recipe_trains(model_choice, make_network, check_step):
    network = make_network(f"model={model_choice}")
    assert check_step(network) < 50
    check_reload(network)


@pytest.mark.parametrize("data", ["digits", "tiny_imagenet"])
def test_recipe_takes_other_images_or_says_why_not(model_choice, data, make_network, check_step, check_refusal):
    """Small grey ones (8x8) and large ones (64x64); digits are tried out, since they serve as everyone's first run."""
    try:
        with torch.device("meta" if data == "tiny_imagenet" else "cpu"):
            network = make_network(f"model={model_choice}", f"data={data}")
    except ValueError as error:
        check_refusal(error)
        assert data == "digits", error
    else:
        if data == "digits":
            check_step(network)


def check_reload(network):
    """The weights go strictly into a network built anew, which then gives the same logits in every memory layout."""
    images = torch.randn(2, network.in_channels, network.resolution, network.resolution)
    other = copy.deepcopy(network)
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    other.load_state_dict(network.state_dict(), strict=True)
    with torch.no_grad():
        logits = network.eval()(images)
        assert logits.shape == (2, network.num_classes) and logits.isfinite().all()
        assert torch.equal(other.eval()(images), logits)
        other.to(memory_format=torch.channels_last)
        last = other(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, logits, rtol=1e-3, atol=1e-4)


def test_recipe_costs_are_all_known(model_choice, make_network):
    costs = count_costs(make_network(f"model={model_choice}"), (3, 32, 32))
    assert not costs.uncounted, f"operators that nobody counts: {dict(costs.uncounted)}"
    assert costs.macs > 1e6


@pytest.mark.parametrize("group", ["mixer", "attention", "block"])
def test_primitives_costs_are_all_known(group, make_network):
    for file in (CONF / group).glob("*.yaml"):
        network = make_network("model=resnet20", "model.depths=[1,1,1]", f"{group}={file.stem}")
        uncounted = count_costs(network, (3, 32, 32)).uncounted
        assert not uncounted, f"{group}={file.stem} has operators that nobody counts: {dict(uncounted)}"


def test_recipe_builds_anew(model_choice, compose, slim):
    """Fresh weights per build, drawn from the seed alone; no module or parameter stands in two places."""
    config = compose(f"model={model_choice}", *slim(model_choice))
    networks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        networks.append(build(config.model))
    first, second, third = (network.state_dict() for network in networks)
    assert first.keys() == second.keys() == third.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not {tensor.data_ptr() for tensor in first.values()} & {tensor.data_ptr() for tensor in second.values()}
    assert any(not torch.equal(first[name], third[name]) for name in first)
    names = [name for name, _ in networks[0].named_parameters(remove_duplicate=False)]
    assert names == [name for name, _ in networks[0].named_parameters()]


def test_recipe_takes_a_new_attention(model_choice, tmp_path, monkeypatch, compose, slim, check_step):
    """One Python file and one YAML, no other edit, in a folder of the user's own."""
    (tmp_path / "own_attention.py").write_text(ATTENTION)
    (tmp_path / "attention").mkdir()
    yaml = "_target_: own_attention.Scale\n_partial_: true\nkernel_size: 1\n"
    (tmp_path / "attention" / "own.yaml").write_text(yaml)
    monkeypatch.syspath_prepend(tmp_path)
    shallow = [1] * len(compose(f"model={model_choice}").model.depths)
    own = ["attention=own", f"hydra.searchpath=[file://{tmp_path}]"]
    network = build(compose(f"model={model_choice}", f"model.depths={shallow}", *slim(model_choice), *own).model)
    found = [module for module in network.modules() if type(module).__name__ == "Scale"]
    assert found, "the recipe's blocks do not use the attention port"
    check_step(network)


def test_feature_maps_are_what_the_head_reads(make_network):
    network = make_network("model=resnet20", "model.depths=[1,1,1]").eval()
    images = torch.randn(2, 3, 32, 32)
    maps = network.feature_maps(images)
    assert [tuple(each.shape[1:]) for each in maps] == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    assert torch.equal(network.head(maps[-1]), network(images))


def test_recipe_is_one_of_those_promised():
    promised = """resnet20 resnet32 resnet44 resnet56 resnet110 resnet18 resnet34 resnet50 wrn16_2 convnext ghostnet
        csp_resnet20 csp_densenet resnest20 mlp_mixer segnext lsknet hornet coatnet""".split()
    missing = set(promised) - {file.stem for file in (CONF / "model").glob("*.yaml")}
    assert not missing, f"conf/model lacks {sorted(missing)}"


@pytest.mark.parametrize(
    ("group", "promised"),
    [
        ("block", "basic bottleneck preact convnext ghost ghost_bottleneck resnest metaformer mbconv dense"),
        ("attention", "none se eca cbam coordinate simam"),
        ("norm", "bn ln gn rms none"),
        ("activation", "relu gelu silu hardswish mish leaky_relu"),
        ("stem", "conv3x3 conv7x7 patchify2 patchify4"),
        ("stage", "strided separate csp"),
    ],
)
def test_choices_that_users_type_exist(group, promised):
    missing = set(promised.split()) - {file.stem for file in (CONF / group).glob("*.yaml")}
    assert not missing, f"conf/{group} lacks {sorted(missing)}"
