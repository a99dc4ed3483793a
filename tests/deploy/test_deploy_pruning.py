"""Whole channels pruned: those that weigh least go, the others arrive where the narrower recipe has them."""

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from cifar100.app.narrowing import narrowed, nearest
from cifar100.config import build_network
from cifar100.deploy.pruning import prune_channels
from cifar100.record import find_runs

pytest.importorskip("torch_pruning")
SIZES = {16: 12, 32: 24}  # channels of the two stages, before and after
RECIPES = {"resnet20": "block=basic", "bottlenecks": "block=bottleneck", "convnext": "model=convnext"}


@pytest.fixture
def network(compose):
    """Called as (*overrides, widths=(16, 32), seed=0): a small network on the digits."""

    def make(*overrides, widths=(16, 32), seed=0):
        config = compose(*overrides, "data=digits", "model.depths=[1,2]", f"model.widths={list(widths)}")
        torch.manual_seed(seed)
        return build_network(config).eval()

    return make


def with_dead_channels(wide, narrow) -> None:
    """Gives ``wide`` the weights of ``narrow`` in some of its channels; through the others nothing passes."""
    generator = np.random.default_rng(0)
    places = {before: np.sort(generator.permutation(before)[:after]) for before, after in SIZES.items()}
    theirs = narrow.state_dict()
    with torch.no_grad():
        for name, tensor in wide.state_dict().items():
            if not tensor.ndim:
                continue
            tensor.fill_(1.0 if name.endswith("running_var") else 0.0)
            index = np.ix_(
                *(_kept(size, part, places) for size, part in zip(tensor.shape, theirs[name].shape, strict=True))
            )
            tensor.numpy()[index] = theirs[name].numpy()


def _kept(size: int, part: int, places) -> np.ndarray:
    """The channels of a dimension that are not dead; inner widths are multiples or shares of a stage's."""
    if size == part:
        return np.arange(size)
    if size in places and len(places[size]) == part:
        return places[size]
    return np.arange(part)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_left_of_a_network_with_dead_channels_is_the_network_without_them(recipe, network):
    wide = network(RECIPES[recipe])
    narrow = network(RECIPES[recipe], widths=(12, 24), seed=1)
    for module in narrow.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    with_dead_channels(wide, narrow)
    before = {name: tensor.clone() for name, tensor in wide.state_dict().items()}
    found = prune_channels(wide, narrow)
    for name, tensor in narrow.state_dict().items():
        assert torch.equal(found[name], tensor), name
    assert all(torch.equal(tensor, before[name]) for name, tensor in wide.state_dict().items()), "wide stays as it is"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=csp_resnet20"], "model.widths have"),
        (["mixer=relative_self_attention", "block=metaformer"], "cannot follow channels through"),
    ],
    ids=str,
)
def test_networks_that_it_cannot_narrow_are_refused_in_a_line(overrides, message, network):
    with pytest.raises(ValueError, match=message) as refused:
        prune_channels(network(*overrides), network(*overrides, widths=(8, 16)))
    assert "use pruning=magnitude" in str(refused.value) and "\n" not in str(refused.value)


def test_other_classes_and_norms_are_refused(network):
    with pytest.raises(ValueError, match="num_classes, which is 10 in init_from and 7 here"):
        prune_channels(network(), network("data.num_classes=7"))
    with pytest.raises(ValueError, match=r"pruning\.norm=3"):
        prune_channels(network(), network(), norm=3)


TINY = ("data=digits", "data.val_size=200", "model.depths=[1,1]", "model.widths=[8,16]", "trainer.num_train_epochs=1")


SHORT = ("trainer.num_train_epochs=1", "study=pruned", "repeats=2")


@pytest.fixture
def prune(typed):
    """Called as (*options): trains a tiny run, prunes it as typed, and gives both and what was found."""
    pytest.importorskip("onnxscript")

    def type_commands(*options):
        assert typed("train", *TINY, "label=Tiny").status == 0
        (source,) = find_runs("multirun/default")
        ended = typed("prune", *options, *SHORT, f"run_dir={source.path}")
        assert ended.status == 0, ended.err
        (pruned,) = find_runs("multirun/pruned")
        found = pruned.read_json("deploy/pruning.json")
        before, after, paired = found["before"], found["after"], found["difference"]
        assert found["source"] == source.name and pruned.read_json("metrics.json")["test/top1"] > 0
        assert paired["top1"] == pytest.approx(after["test/top1"] - before["test/top1"])
        assert after["nonzero_parameters"] < 0.8 * before["nonzero_parameters"]
        return source, pruned, found

    return type_commands


def test_channels_are_pruned_as_typed(prune, typed):
    _, narrow, found = prune("amount=0.5")
    assert narrow.config()["label"] == "Tiny, widths [6, 11]" and narrow.config()["model"]["widths"] == [6, 11]
    assert narrow.config()["data"]["val_size"] == 200
    assert narrow.config()["optimizer"]["lr"] == pytest.approx(0.02)
    assert found["after"]["macs"] < 0.6 * found["before"]["macs"]
    assert typed("evaluate", f"run_dir={narrow.path}", "latency=false").status == 0, "its record loads again"


@pytest.mark.slow  # the same way to a run, with exports that take seconds
def test_weights_are_pruned_as_typed(prune, typed):
    options = ("method=magnitude", "amount=0.75")
    source, sparse, _ = prune(*options)
    again = typed("prune", *options, *SHORT, f"run_dir={source.path}")
    assert "is finished" in again.out, "the same command is the same run"
    assert sparse.config()["label"] == "Tiny, 75% zeros" and sparse.summary()["last"]["sparsity"] > 0.7
    assert sparse.config()["model"] == source.config()["model"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["amount=0.5"], "run_dir is missing"),
        (["run_dir=nowhere"], "nowhere"),
        (["run_dir=x", "amount=1"], "amount=1 must lie between"),
        (["run_dir=x", "method=random"], "method=random must be one of"),
        (["run_dir=x", "method=magnitude", "widths=[4]"], "no effect with method=magnitude"),
        (["run_dir=x", "model.widths=[4,8]"], "model.widths=[4,8] has no place here"),
    ],
    ids=str,
)
def test_mistakes_are_one_line(typed, arguments, message):
    ended = typed("prune", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.strip().splitlines()) == 1


def test_widths_come_nearest_to_the_amount_among_multiples(compose):
    model = OmegaConf.to_container(compose("data=cifar100").model, resolve=True)
    assert nearest(model, 0.5, 1)["widths"] == [11, 23, 45]
    assert nearest(model, 0.5, 16)["widths"] == [16, 16, 32]
    doubled = model | {"width_multiplier": 2.0, "stem_width": 16}
    found = nearest(doubled, 0.75, 1)
    assert (found["widths"], found["stem_width"], found["width_multiplier"]) == ([16, 32, 64], 16, 1.0)
    with pytest.raises(ValueError, match=r"widths=\[32, 32, 64\] must be 3 numbers"):
        narrowed(model, [32, 32, 64])
