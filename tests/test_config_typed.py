"""What was typed in vain is refused when the network is composed or built, with the cure."""

import logging

import pytest
import torch

from cifar100.config import ConfigError, build, build_network, check_typed_choices
from cifar100.config.tree import origins

SINGLE = ["model.depths=[2]", "model.widths=[16]"]


@pytest.fixture
def make(compose):
    """Called as (*typed): the network, without memory."""

    def make_network(*typed):
        config = compose(*typed)
        check_typed_choices(config, typed)
        with torch.device("meta"):
            return build_network(config, typed)

    return make_network


@pytest.mark.parametrize(
    ("typed", "cure"),
    [
        (["downsample=avgpool"], "stage=separate"),
        (["downsample.norm=null"], "stage=separate"),
        (["block=convnext", "stage=strided", "downsample=conv3x3"], "stage=separate"),
        (["model=coatnet", "downsample=avgpool"], "stage=separate"),
        (["model=coatnet", "downsample@late_block.downsample=avgpool"], "stage=separate"),
        # Referred to, and never called.
        (["model=mlp_mixer", "downsample=avgpool"], "model.depths"),
        (["model=mlp_mixer", "downsample.norm=null"], "model.depths"),
        ([*SINGLE, "stage=separate", "downsample=conv3x3"], "model.depths"),
        (["model=ghostnet", "stage=separate", "mixer=conv"], "stage=strided"),
        (["model=ghostnet", "stage=separate", "mixer.kernel_size=5"], "stage=strided"),
        # Called, but with shapes that do not need it.
        (["stage=separate", "block.shortcut=avgpool"], "stage=strided"),
        (["stage=csp", "block.shortcut=padding"], "stage=strided"),
        ([*SINGLE, "block.shortcut=avgpool"], "stage=strided"),
        (["block=ghost", "stage=separate", "block.shortcut=avgpool"], "stage=strided"),
        (["model=resnest20", "stage=separate", "block.avd_first=true"], "stage=strided"),
        (
            ["model=coatnet", "block@late_block=bottleneck", "stage@late_block.stage=csp"]
            + ["late_block.block.shortcut=avgpool"],
            "stage=strided",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_has_no_effect_is_refused(typed, cure, make):
    with pytest.raises(ConfigError) as refused:
        make(*typed)
    text = str(refused.value)
    assert text.startswith(f"{typed[-1]} has no effect: ") and cure in text and "leave it out" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "typed",
    [
        ["downsample=avgpool", "stage=separate"],
        ["downsample=avgpool", "block=convnext"],
        [
            "norm=ln",
            "activation=gelu",
            "attention=se",
            "mixer=depthwise",
            "stem=patchify2",
            "init=torch",
            "head=linear",
        ],
        ["optimizer=adamw", "seed=3", "model.depths=[1,1,1]", "data=digits", "root=x"],
        ["block.shortcut=avgpool"],
        ["block=resnest", "block.avd_first=true"],
        ["model=ghostnet", "mixer=conv"],
        ["model=ghostnet", "stage=separate"],
        ["model=coatnet", "block@late_block=van", "downsample@late_block.downsample=avgpool"],
        [
            "model=coatnet",
            "mixer@late_block.mixer=token_mlp",
            "late_block.mixer.expansion=1",
            "norm@late_block.norm=bn",
        ],
        ["block=ghost", "mixer=ghost_eca", "mixer.eca.kernel_size=3"],
        ["mixer=ghost", "mixer.norm=${norm}"],
        ["attention=none", "norm=bn"],  # what is the default anyway has its place, too
    ],
    ids=" ".join,
)
def test_what_has_an_effect_passes(typed, make):
    make(*typed)


def test_a_factory_without_layers_counts_as_used(tmp_path, make):
    """What is called is what counts, not what it made: a user's mixer may be a function."""
    (tmp_path / "mixer").mkdir()
    (tmp_path / "mixer" / "own.yaml").write_text("_target_: torch.nn.Identity\n_partial_: true\n")
    make(f"hydra.searchpath=[file://{tmp_path}]", "stage=separate", "mixer=own")


def test_a_position_of_no_attention_is_warned_of(caplog, make):
    """A sweep over attentions and positions holds it, so it is no mistake."""
    with caplog.at_level(logging.WARNING):
        make("block.attention_position=pre")
    assert "block.attention_position=pre has no effect without an attention" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        make("block.attention_position=pre", "attention=eca")
    assert not caplog.text


def test_what_was_typed_does_not_change_what_is_built(compose):
    config = compose("model=coatnet")
    torch.manual_seed(0)
    watched = build_network(config, ["attention=se"]).state_dict()
    torch.manual_seed(0)
    plain = build(config.model).state_dict()
    assert watched.keys() == plain.keys() and all(torch.equal(watched[name], plain[name]) for name in plain)


def test_origins_follow_references():
    tree = {"norm": {"eps": 1}, "mixer": {"norm": "${..norm}"}, "block": {"mixer": "${..mixer}", "norm": "${norm}"}}
    tree["late"] = {"norm": "${norm}", "mixer": {"norm": "${..norm}"}, "block": {"mixer": "${..mixer}"}}
    tree["model"] = {"stage": ["${block}", "${late.block}"], "width": 3, "name": "a ${norm} b"}
    assert origins(tree, "model") == {
        "stage.0": ["block"],
        "stage.0.mixer": ["mixer"],
        "stage.0.mixer.norm": ["norm"],
        "stage.0.norm": ["norm"],
        "stage.1": ["late.block"],
        "stage.1.mixer": ["late.mixer"],
        "stage.1.mixer.norm": ["late.norm", "norm"],
    }
