"""Runs that start from another's weights, with other heads and other data; frozen backbones."""

import logging

import pytest
import torch

from cifar100 import app
from cifar100.app.sources import name_shorter_run
from cifar100.config import identity, recipe, run_id
from cifar100.record import RunDirectory

ONE = ("trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=500")
SMALL = {"data.num_classes=7": "head", "data.in_channels=3": "stem"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tmp_path_factory.mktemp("source")


@pytest.fixture
def trained(source, make_loop, compose_run):
    """A run's folder; trained once."""
    if not RunDirectory(source).has_checkpoint("best"):
        make_loop(source, *ONE).run()
        RunDirectory(source).write_config(recipe(compose_run(*ONE)))
    return source


def weights(network) -> dict:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_starts_with_the_best_weights(trained, make_loop, tmp_path):
    loop = make_loop(tmp_path, *ONE, "seed=1", f"init_from={trained}")
    tensors, _ = RunDirectory(trained).load_checkpoint("best")
    for name, tensor in weights(loop.state.model).items():
        assert torch.equal(tensor, tensors[f"model.{name}"]), name


@pytest.mark.parametrize("override", SMALL)
def test_another_head_or_stem_begins_anew(override, trained, compose_run, caplog):
    config = compose_run(*ONE, "seed=1", override)
    model, fresh = app.build_model(config), app.build_model(config)
    with caplog.at_level(logging.INFO):
        app.sources.start_from(model, str(trained))
    tensors, _ = RunDirectory(trained).load_checkpoint("best")
    for name, tensor in weights(model).items():
        there = tensors[f"model.{name}"]
        expected = there if there.shape == tensor.shape else fresh.state_dict()[name]
        assert torch.equal(tensor, expected), name
    assert caplog.messages[-1].endswith(f"; anew: {SMALL[override]}")


def test_a_frozen_backbone_stays_bitwise_while_the_head_learns(trained, make_loop, tmp_path):
    loop = make_loop(tmp_path, "trainer.num_train_epochs=2", f"init_from={trained}", "freeze=backbone")
    before = weights(loop.state.model)
    loop.run()
    for name, tensor in weights(loop.state.model).items():
        assert torch.equal(tensor, before[name]) == (not name.startswith("head.")), name


def test_other_weights_are_another_run_and_places_are_not_told(trained, compose_run, tmp_path, monkeypatch):
    config = compose_run(f"init_from={trained}")
    named = recipe(config)["init_from"]
    assert named.startswith(f"{trained.name}@") and str(trained) not in str(recipe(config))
    monkeypatch.chdir(trained.parent)
    assert identity(compose_run(f"init_from={trained.name}")) == identity(config) != identity(compose_run())
    tensors, state = RunDirectory(trained).load_checkpoint("best")
    other = RunDirectory(tmp_path / trained.name)
    other.save_checkpoint("best", {name: tensor + 1 for name, tensor in tensors.items()}, state)
    assert identity(compose_run(f"init_from={other.path}")) != identity(config)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["init_from=nowhere/at/all"], "nowhere/at/all"),
        (["init_from=7"], "must name a run"),
        (["freeze=backbone"], "add init_from="),
        (["init_from={trained}", "freeze=head"], "freeze=head must be backbone"),
        (["init_from={trained}", "model.widths=[8,8,16]"], "another backbone: stages.2"),
        (["init_from={trained}", "norm=gn"], "another backbone"),
        (["loss.class_weights=[1,2]"], "for each of the 10 classes"),
        (["loss.class_weights=even"], "balanced or a list"),
    ],
    ids=str,
)
def test_refused_in_one_line(overrides, message, trained, make_loop, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        make_loop(tmp_path, *ONE, *(each.format(trained=trained) for each in overrides))
    assert "\n" not in str(refused.value)


def test_more_epochs_begin_anew_and_say_what_goes_on(compose_run, tmp_path, caplog):
    short, long = (compose_run(f"trainer.num_train_epochs={count}") for count in (10, 25))
    done = RunDirectory(tmp_path / run_id(short))
    with caplog.at_level(logging.INFO):
        name_shorter_run(long, RunDirectory(tmp_path / run_id(long)))
        done.write_status("finished")
        name_shorter_run(compose_run("trainer.num_train_epochs=25", "seed=1"), RunDirectory(tmp_path / run_id(long)))
        assert not caplog.messages
        name_shorter_run(long, RunDirectory(tmp_path / run_id(long)))
    (line,) = caplog.messages
    assert "25 epochs" in line and "begin anew" in line and f"init_from={done.path}" in line
