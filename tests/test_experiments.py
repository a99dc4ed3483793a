"""The study's tables: every job composes and builds, rows differ in their networks only, headers say what is true."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import hydra
import pytest
import torch
import yaml
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from cifar100.config import CONF, build, identity, recipe, run_id

FILES = {file.stem: file.read_text(encoding="utf-8") for file in sorted((CONF / "experiment").glob("*.yaml"))}
PARAMS = {
    name: content["hydra"]["sweeper"]["params"]
    for name, content in ((name, yaml.safe_load(text)) for name, text in FILES.items())
    if content.get("hydra", {}).get("sweeper", {}).get("params") and "/hydra/sweeper" not in str(content["defaults"])
}
TABLES = sorted(name for name, params in PARAMS.items() if "row" in params)
RECIPES = sorted(PARAMS.keys() - set(TABLES))
NETWORKS = {}  # a network that several tables have is built once
STEPS = Path(__file__).parents[1] / "docs" / "convnext_steps.md"


@cache
def compose(*overrides):
    with hydra.initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return hydra.compose("train", overrides=list(overrides), return_hydra_config=True)


def sweep(name, *typed):
    """The jobs of `python train.py experiment=<name> <typed>`, each its overrides, as hydra's sweeper cuts them."""
    config = compose(f"experiment={name}")
    assert str(config.hydra.mode) == "RunMode.MULTIRUN"
    params = [f"{key}={value}" for key, value in config.hydra.sweeper.params.items()]
    with hydra.initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        (jobs,) = BasicSweeper.split_arguments(parser.parse_overrides([*params, *typed]), None)
    return jobs


@cache
def rows(name):
    """What the first seed's jobs compose to, in the order of the sweep."""
    return [compose(f"experiment={name}", *job) for job in sweep(name, "seed=0")]


def without_network(config):
    return {key: value for key, value in recipe(config).items() if key not in ("model", "seed")}


def network(config):
    key = str(recipe(config)["model"])
    if key not in NETWORKS:
        with torch.device("meta"):
            NETWORKS[key] = build(config.model)
    return NETWORKS[key]


def test_the_studys_tables_are_all_there():
    ablations = "eca ghost_ratio ghost_kernel ghost_replace convnext_cumulative convnext_alone convnext_inverted"
    assert set(TABLES) == {"main", *ablations.split(), "ghost_eca", "large_kernel", "future", "scale"}
    assert set(RECIPES) == {"recipe_optimizer", "recipe_scheduler", "recipe_augment"}


@pytest.mark.parametrize("name", FILES)
def test_header_says_command_cost_and_expectation(name):
    header = re.match(r"# @package _global_\n((?:#.*\n)+)", FILES[name])[1]
    assert re.search(rf"^#     python train.py .*experiment={name}\b", header, re.MULTILINE)
    for word in ("Cost", "Expected"):
        assert len(re.findall(rf"^# {word}: ", header, re.MULTILINE)) == 1, word
    assert name not in PARAMS or "GPU" in header


@pytest.mark.parametrize("name", PARAMS)
def test_header_counts_the_runs(name):
    said = re.search(r"^# Runs: (\d+) = (\d+) (?:rows|\w+) x 3 seeds", FILES[name], re.MULTILINE)
    assert said, "a line such as '# Runs: 21 = 7 rows x 3 seeds'"
    assert (int(said[1]), int(said[2])) == (len(sweep(name)), len(rows(name)))
    assert {override for job in sweep(name) for override in job if "seed" in override} == {"seed=0", "seed=1", "seed=2"}


@pytest.mark.parametrize("name", PARAMS)
def test_every_job_is_a_run_of_its_own_that_builds(name):
    first = [run_id(config) for config in rows(name)]
    others = [run_id(compose(f"experiment={name}", *sweep(name)[-1]))]  # the last row with its last seed
    assert len({*first, *others}) == len(first) + 1
    for config in rows(name):
        assert config.study == name and config.hydra.runtime.choices["experiment"] == name
        assert network(config).num_classes == 100


@pytest.mark.parametrize("name", TABLES)
def test_rows_share_one_recipe(name):
    recipes = [without_network(config) for config in rows(name)]
    assert all(each == recipes[0] for each in recipes)
    assert recipes[0] == without_network(compose("experiment=main", "row=main_0_resnet20"))
    assert recipes[0]["trainer"]["num_train_epochs"] == 150


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_ablations_share_one_network(name):
    networks = [recipe(config)["model"] for config in rows(name)]
    assert all(each == networks[0] for each in networks)
    (swept,) = PARAMS[name].keys() - {"seed"}
    same = [{key: value for key, value in without_network(config).items() if key != swept} for config in rows(name)]
    assert all(each == same[0] for each in same)
    assert {config.hydra.runtime.choices[swept] for config in rows(name)} == {
        file.stem for file in (CONF / swept).glob("*.yaml")
    }
    assert all(config.label is None for config in rows(name))


@pytest.mark.parametrize("name", TABLES)
def test_labels_tell_the_rows_apart(name):
    labels = [config.label for config in rows(name)]
    assert len({label.casefold() for label in labels}) == len(labels)
    assert all(0 < len(label) <= 40 and label.isprintable() and label[0] not in "=+-@" for label in labels)


def test_every_row_stands_in_its_table_and_the_baseline_first():
    files = sorted(file.stem for file in (CONF / "row").glob("*.yaml"))
    swept = {name: [config.hydra.runtime.choices["row"] for config in rows(name)] for name in TABLES}
    assert sorted(row for each in swept.values() for row in each) == files
    for name, each in swept.items():
        numbers = [re.fullmatch(rf"{name}_(\d+)_\w+", row)[1] for row in each]
        assert len({len(number) for number in numbers}) == 1, "as many digits everywhere, for the order of their names"
        assert sorted(map(int, numbers)) == list(range(len(each)))


def test_only_the_last_step_of_the_cumulative_table_is_all_of_convnext():
    steps = [recipe(config)["model"] for config in rows("convnext_cumulative")]
    assert all(one != other for one, other in pairwise(steps))
    ours = network(rows("convnext_cumulative")[-1]).state_dict()
    theirs = network(compose("model=convnext", "model.depths=[3,3,3]")).state_dict()
    assert {name: tensor.shape for name, tensor in ours.items()} == {name: t.shape for name, t in theirs.items()}


@pytest.mark.skipif(not STEPS.exists(), reason="an installed package has no docs")
def test_steps_alone_are_those_of_the_document():
    section = STEPS.read_text(encoding="utf-8").split("## Each step alone\n")[1].split("\n## ")[0]
    documented = [cells.split("|")[2].strip(" `-") for cells in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]]
    expected = {identity(compose("model=resnet20", "trainer=fast", *typed.split())) for typed in documented}
    tables = [{identity(config) for config in rows(name)} for name in ("convnext_alone", "convnext_inverted")]
    assert tables[0] | tables[1] == expected
    assert tables[0] & tables[1] == {identity(rows("convnext_inverted")[0])}


def test_adaptive_eca_is_the_network_of_k_3():
    by_label = {config.label: network(config) for config in rows("eca")}
    adaptive, three, five = ([str(by_label[each])] for each in ("ECA, adaptive k", "ECA, k=3", "ECA, k=5"))
    assert adaptive == three != five


def test_the_command_line_has_the_last_word():
    typed = ("seed=7", "trainer.num_train_epochs=1", "data=digits", "study=mine")
    jobs = sweep("eca", *typed)
    assert len(jobs) == len(rows("eca"))
    config = compose("experiment=eca", *jobs[-1])
    assert (config.seed, config.trainer.num_train_epochs, config.data.name, config.study) == (7, 1, "digits", "mine")
    assert len(sweep("eca", "seed=3,4", "row=eca_1_k3,eca_2_k5")) == 4


def test_typed_as_the_header_says_it_sweeps(typed):
    ended = typed("train", "experiment=ghost_ratio", "seed=0", "data=digits", "trainer.num_train_epochs=0")
    assert ended.status == 0, ended.err
    counted = re.findall(r"^(ResNet-20|Ghost, ratio \d) +([\d,]+) ", ended.out, re.MULTILINE)
    assert [label for label, _ in counted] == ["ResNet-20", "Ghost, ratio 2", "Ghost, ratio 3", "Ghost, ratio 4"]
    parameters = [int(number.replace(",", "")) for _, number in counted]
    assert sorted(set(parameters), reverse=True) == parameters
