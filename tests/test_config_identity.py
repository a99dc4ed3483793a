"""Run identity: one experiment has one folder however it was typed, another experiment another."""

import json
from functools import partial
from pathlib import Path

import pytest

from cifar100.config import identity, recipe, register_resolvers, run_id
from cifar100.config.run_identity import run_folder


@pytest.fixture
def composed(compose):
    """Called as (*overrides): what they compose, with hydra's own node."""
    return partial(compose, hydra=True)


SAME = [
    (["model=resnet32"], ["model=resnet20", "model.depths=[5,5,5]"]),
    (["model=resnet20"], ["model=resnet110", "model.depths=[3,3,3]"]),
    ([], ["model=resnet20", "norm=bn", "block=basic", "stage=strided"]),
    (["trainer.num_train_epochs=15"], ["trainer.num_train_epochs=15.0"]),
    (["optimizer.lr=0.1", "seed=0"], ["seed=0", "optimizer.lr=1e-1"]),
    ([], ["tracker=tensorboard"]),
    ([], ["data.path=/somewhere", "data.cache_dir=/else"]),
    ([], ["root=/elsewhere", "study=other"]),
    ([], ["force=true"]),
    ([], ["label=Mine", "own_recipe=[optimizer]"]),
    ([], ["trainer.dataloader_num_workers=2", "trainer.disable_tqdm=true"]),
    (["attention=eca", "attention.kernel_size=null"], ["attention=eca"]),
    (["model.width_multiplier=1"], ["model.width_multiplier=1.0"]),
]
DIFFERENT = """seed=1 attention=eca attention=se norm=gn optimizer.lr=0.05 data.val_size=0 data=cifar10 augment=none
    trainer.num_train_epochs=1 ema_decay=0.99 model.drop_path=0.1 scheduler=step block.shortcut=padding
    init.zero_last_norm=true loss.label_smoothing=0.1 backbone_lr_factor=0.1 data.images_per_class=5""".split()
# As they have been since runs were first recorded: a changed one leaves runs that cannot be continued.
KNOWN = {
    "": "6f28e79e",
    "scheduler=constant": "d59348b2",
    "scheduler=linear": "49fa03db",
    "scheduler=multistep": "ea9397e2",
    "scheduler=onecycle": "e4b921ee",
    "scheduler=step": "b8180aaf",
    "scheduler=wsd": "55814ab9",
    "model=wrn16_2": "837e0eeb",
    "model=coatnet data=digits seed=1": "46bf03c2",
    "block=convnext norm=ln activation=gelu model.widths=[24,48,96]": "7163f800",
    "augment=randaugment": "c41fed95",
    "model.depths=[1,1,1] ema_decay=0.9": "8ca9d1c1",
    "trainer.label_smoothing_factor=0.1": "b3b6dd8f",
    "data=tiny_imagenet": "720a5c8c",
    "optimizer=muon": "7881523c",
}
SMOKE = Path(__file__).parents[1] / "multirun" / "smoke"
SMOKED = """coatnet convnext csp_densenet csp_resnet20 csp_resnext20 ghostnet hornet lsknet mlp_mixer resnest20 resnet20
    segnext""".split()


@pytest.mark.parametrize("overrides", KNOWN)
def test_identities_stay(overrides, composed):
    assert identity(composed(*overrides.split())) == KNOWN[overrides]


@pytest.mark.skipif(not SMOKE.is_dir(), reason="an installed wheel has no published runs")
def test_published_runs_are_found_again(composed):
    typed = [["trainer=fast", "trainer.num_train_epochs=3", f"model={name}"] for name in SMOKED]
    place = [f"root={SMOKE.parent}", f"study={SMOKE.name}"]
    runs = {run_folder(composed(*each, *place)) for each in typed}
    assert runs == {file.parent.name for file in SMOKE.glob("*/config.yaml")}


def test_a_run_is_continued_in_the_folder_that_it_had_under_another_name(tmp_path, composed):
    config = composed("attention=eca", f"root={tmp_path}", "study=old")
    digest = identity(config)
    assert run_folder(config) == run_id(config) == f"resnet20-eca-e150-seed0-{digest}"
    old = tmp_path / "old" / f"basic-d3-3-3-w16-32-64-eca-e150-seed0-{digest}"
    old.mkdir(parents=True)
    assert run_folder(config) == run_id(config)  # no run has begun there
    (old / "config.yaml").write_text("seed: 0")
    assert run_folder(config) == old.name
    register_resolvers()
    assert config.hydra.run.dir == f"{tmp_path}/old/{old.name}" and config.hydra.sweep.subdir == old.name
    (tmp_path / "old" / run_id(config)).mkdir()
    assert run_folder(config) == run_id(config)  # its own name comes first
    assert run_folder(composed("attention=se", f"root={tmp_path}", "study=old")).startswith("resnet20-se-")


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ("model=resnet20", "resnet20"),
        ("model=resnet20 model.depths=[5,5,5]", "resnet32"),
        ("block=ghost mixer=ghost_eca", "resnet20-ghost-ghost_eca"),
        ("model=coatnet attention=none", "coatnet-no_attention-adamw"),
        ("model=csp_resnet20", "csp_resnet20"),
        ("model=convnext optimizer=sgd", "convnext"),
        ("data=cifar10 optimizer=muon", "resnet20-cifar10-muon"),
        ("data=digits data.images_per_class=5", "resnet20-digits-5_a_class"),
        ("model.depths=[1,1,1]", "basic-d1-1-1-w16-32-64"),
        ("model.width_multiplier=2", "basic-d3-3-3-w16-32-64"),
    ],
)
def test_names_read_aloud(overrides, name, composed):
    assert run_id(composed(*overrides.split())).startswith(f"{name}-e150-seed0-")


def test_a_trial_says_what_it_tries(composed):
    search = ("hydra/sweeper=hpo", "hydra.sweeper.searched=[optimizer.lr,augment]")
    config = composed("optimizer.lr=0.0123456", "augment=cutout", "seed=1", *search)
    assert run_id(config).startswith("resnet20-lr0.0123-cutout-e150-seed1-")


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_same_experiment_typed_differently_is_one_run(one, other, composed):
    assert run_id(composed(*one)) == run_id(composed(*other))
    assert identity(composed(*one)) == identity(composed(*other))


@pytest.mark.parametrize("override", DIFFERENT)
def test_another_experiment_is_another_run(override, composed):
    assert identity(composed(override)) != identity(composed())


def test_no_two_of_many_experiments_share_a_run(composed):
    found = [run_id(composed(*each)) for each in [[], *([override] for override in DIFFERENT)]]
    assert len(set(found)) == len(found)


def test_run_id_reads_aloud(composed):
    config = composed("attention=eca", "seed=3", "trainer.num_train_epochs=15", "block=convnext")
    expected = "resnet20-convnext-separate-depthwise-eca-e15-seed3-"
    assert run_id(config) == expected + identity(config)


def test_recipe_is_plain(composed):
    content = recipe(composed())
    assert json.loads(json.dumps(content)) == content
    assert "${" not in json.dumps(content)


def test_resolver_names_the_run_folder(composed):
    register_resolvers()
    config = composed()
    assert config.hydra.sweep.subdir == run_id(config)
    assert config.hydra.run.dir == f"multirun/default/{run_id(config)}"
