import pytest
import torch
from torch import nn

from cifar100.optim.adafactor import adafactor
from cifar100.optim.adamw import adamw
from cifar100.optim.groups import decay_groups, scale_backbone
from cifar100.optim.muon import muon
from cifar100.optim.schedules import cosine
from cifar100.optim.sgd import sgd


def names_by_decay(network, optimizer):
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        names[id(parameter)]: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]
    }


def test_norms_biases_and_layer_scales_go_without_decay(make_network):
    network = make_network()
    decay = names_by_decay(network, adamw(network, weight_decay=0.05))
    kept = {name for name, value in decay.items() if value == 0.05}
    assert kept == {"stem.weight", "stages.1.weight", "stages.3.weight", "stages.4.weight", "head.weight"}
    assert decay.keys() == dict(network.named_parameters()).keys()
    assert all(value == 0 for name, value in decay.items() if name not in kept)


@pytest.mark.parametrize("optimizer", [adamw, adafactor, muon])
def test_relative_position_biases_go_without_decay(optimizer):
    """A table of biases is one although it is a matrix, as CoAtNet's ``relative_bias`` is."""
    network = nn.ModuleDict({"attention": nn.Conv2d(8, 8, 1), "bias_free": nn.Conv2d(8, 8, 1, bias=False)})
    network.attention.relative_bias = nn.Parameter(torch.zeros(2, 9))
    options = {"adamw_modules": []} if optimizer is muon else {}
    decay = names_by_decay(network, optimizer(network, **options))
    assert decay["attention.relative_bias"] == decay["attention.bias"] == 0
    assert decay["attention.weight"] == decay["bias_free.weight"] > 0
    assert names_by_decay(network, sgd(network))["attention.relative_bias"] == 5e-4


def test_decay_everywhere_is_one_group(make_network):
    network = make_network()
    assert set(names_by_decay(network, sgd(network)).values()) == {5e-4}
    assert len(sgd(network).param_groups) == 1
    assert len(sgd(network, decay_norm_and_bias=False).param_groups) == 2


def test_frozen_and_shared_parameters_appear_at_most_once():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    first.bias.requires_grad_(False)
    groups = decay_groups(nn.Sequential(first, second).named_parameters(), 0.1, decay_norm_and_bias=False)
    assert [len(group["params"]) for group in groups] == [1]


def test_muon_takes_hidden_matrices_only(make_network):
    network = make_network()
    optimizer = muon(network)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    taken = {names[id(p)] for group in optimizer.param_groups if group["algorithm"] == "muon" for p in group["params"]}
    assert taken == {"stages.1.weight", "stages.4.weight"}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(names)


def test_muon_leaves_other_modules_to_adamw_on_request(make_network):
    network = make_network()
    optimizer = muon(network, adamw_modules=["stem", "head", "stages.4"])
    assert [len(g["params"]) for g in optimizer.param_groups if g["algorithm"] == "muon"] == [1]
    with pytest.raises(ValueError, match="adamw_modules names 'classifier', .* use some of stem, stages, head"):
        muon(network, adamw_modules=["classifier"])
    with pytest.raises(ValueError, match="no hidden matrix.*use optimizer=adamw"):
        muon(network, adamw_modules=["stem", "stages", "head"])


def test_muon_refuses_a_vector_posing_as_matrix():
    network = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Linear(5, 1), nn.Linear(5, 2))
    optimizer = muon(network, adamw_modules=[])
    assert [p.shape for p in optimizer.param_groups[0]["params"]] == [torch.Size([2, 5])]


@pytest.mark.parametrize("make", [sgd, adamw, adafactor, muon])
def test_the_backbone_learns_at_a_part_of_the_rate(make, make_network, make_gradients):
    network, usual = make_network(), make_network()
    optimizers = [make(network), make(usual)]
    scale_backbone(optimizers[0], network, 0.5)
    schedules = [cosine(each, num_training_steps=10, steps_per_epoch=10, min_lr=1e-4) for each in optimizers]
    for step in range(3):
        for each, optimizer, schedule in zip((network, usual), optimizers, schedules, strict=True):
            make_gradients(each, step)
            optimizer.step()
            schedule.step()
    ours, theirs = ({id(p): group for group in each.param_groups for p in group["params"]} for each in optimizers)
    for (name, parameter), (_, other) in zip(network.named_parameters(), usual.named_parameters(), strict=True):
        there = theirs[id(other)]
        factor = 1 if name.startswith("head.") else 0.5
        assert ours[id(parameter)] == {**there, "params": ours[id(parameter)]["params"]} | {
            key: pytest.approx(factor * there[key]) for key in ("lr", "initial_lr")
        }, name
        assert torch.equal(parameter, other) == (factor == 1), name
    assert optimizers[0].param_groups[0]["lr"] == pytest.approx(optimizers[1].param_groups[0]["lr"])


def test_a_factor_is_above_0_and_has_a_backbone(make_network):
    network = make_network()
    for factor in (0, -1, "0.1", float("inf")):
        with pytest.raises(ValueError, match=f"backbone_lr_factor={factor!r} must be"):
            scale_backbone(sgd(network), network, factor)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith("head."))
    with pytest.raises(ValueError, match="no effect with freeze=backbone"):
        scale_backbone(sgd(network), network, 0.1)
