"""Composition: what brings what, and who wins."""

from functools import partial

import pytest
import yaml
from hydra.errors import ConfigCompositionException

from cifar100.config import CONF, ConfigError, build

TYPED = {"norm": "rms", "activation": "silu", "attention": "none", "mixer": "conv", "downsample": "conv3x3"}
TYPED |= {"stem": "conv7x7", "head": "linear", "init": "torch", "stage": "csp", "block": "bottleneck"}


@pytest.fixture
def composed(compose):
    """Called as (*overrides): what they compose, with hydra's own node."""
    return partial(compose, hydra=True)


@pytest.fixture
def choices(composed):
    """Called as (*overrides): the choice of each group."""
    return lambda *overrides: composed(*overrides).hydra.runtime.choices


def test_block_brings_its_stage_and_mixer(choices):
    found = choices("block=convnext")
    assert (found["stage"], found["mixer"]) == ("separate", "depthwise")


def test_block_typed_over_a_recipe_takes_the_recipes_stage_away(choices):
    found = choices("model=convnext", "block=basic")
    assert (found["stage"], found["mixer"], found["norm"]) == ("strided", "conv", "ln")


def test_recipe_brings_its_primitives(choices):
    found = choices("model=convnext")
    expected = {"block": "convnext", "stage": "separate", "norm": "ln", "activation": "gelu", "stem": "patchify2"}
    assert {group: found[group] for group in expected} == expected
    assert found["optimizer"] == "adamw"


@pytest.mark.parametrize(
    ("group", "choice"),
    [("norm", "bn"), ("activation", "relu"), ("stem", "conv3x3"), ("optimizer", "sgd"), ("mixer", "conv")],
)
def test_command_line_beats_recipe(group, choice, choices):
    assert choices("model=convnext", f"{group}={choice}")[group] == choice
    assert choices(f"{group}={choice}", "model=convnext")[group] == choice


def test_command_line_beats_experiment_beats_recipe(tmp_path, composed, choices):
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ndefaults:\n  - override /model: convnext\n  - override /norm: rms\n"
    text += "model:\n  drop_path: 0.2\n"
    (tmp_path / "experiment" / "probe.yaml").write_text(text)
    probe = (f"hydra.searchpath=[file://{tmp_path}]", "experiment=probe")
    assert (choices(*probe)["block"], choices(*probe)["norm"]) == ("convnext", "rms")
    assert composed(*probe).model.drop_path == 0.2
    assert choices(*probe, "norm=gn")["norm"] == "gn"
    assert choices(*probe, "model=resnet20")["block"] == "basic"
    assert composed(*probe, "model.drop_path=0.3").model.drop_path == 0.3


@pytest.mark.parametrize("group", ["model", "block"])
def test_command_line_beats_every_recipe_and_block(group, composed):
    """Also where they override the group; and the node that is built is the typed choice's own."""
    typed = {each: choice for each, choice in TYPED.items() if each != group}
    own = {each: target(CONF / each / f"{choice}.yaml") for each, choice in typed.items()}
    for file in (CONF / group).glob("*.yaml"):
        config = composed(f"{group}={file.stem}", *(f"{each}={choice}" for each, choice in typed.items()))
        found = config.hydra.runtime.choices
        assert {each: found[each] for each in typed} == typed, file.stem
        assert {each: config[each]._target_ for each in typed} == own, file.stem


def target(file):
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content.get(file.parent.name, content)["_target_"]


def test_lists_are_plain_values(composed):
    assert composed("model.depths=[5,5,5]", "model.widths=[8,16,32]").model.depths == [5, 5, 5]


def test_option_that_does_not_exist_is_an_error(composed):
    with pytest.raises(ConfigCompositionException):
        composed("block.expansoin=2")


def test_option_of_another_choice_is_one_line(composed):
    with pytest.raises(ConfigError, match="unexpected keyword argument"):
        build(composed("+block.expansion=2").model)
