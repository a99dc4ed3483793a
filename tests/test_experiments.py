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

from cifar100.config import CONF, build, compose_quickly, identity, recipe, run_id

FILES = {file.stem: file.read_text(encoding="utf-8") for file in sorted((CONF / "experiment").glob("*.yaml"))}
PARAMS = {
    name: content["hydra"]["sweeper"]["params"]
    for name, content in ((name, yaml.safe_load(text)) for name, text in FILES.items())
    if content.get("hydra", {}).get("sweeper", {}).get("params") and "/hydra/sweeper" not in str(content["defaults"])
}
EVERYTHING = PARAMS.pop("all_tables")  # whose rows are those of all others
TABLES = sorted(name for name, params in PARAMS.items() if "row" in params)
RECIPES = sorted(PARAMS.keys() - set(TABLES))
OWN = {"distillation": {"loss"}, "transfer": {"init_from", "freeze", "backbone_lr_factor", "optimizer"}}
OWN["pruning"] = {"init_from", "pruning", "optimizer"}
NETWORKS = {}  # a network that several tables have is built once
STEPS = Path(__file__).parents[1] / "docs" / "convnext_steps.md"
compose_quickly()  # of more than a hundred rows


@cache
def compose(*overrides):
    with hydra.initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return hydra.compose("train", overrides=list(overrides), return_hydra_config=True)


@cache
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
    ablations = (
        "eca ghost_form ghost_ratio ghost_cheap ghost_replace convnext_cumulative convnext_alone convnext_inverted"
    )
    others = "recipe_twins ghost_eca large_kernel future scale distillation transfer pruning"
    assert set(TABLES) == {"main", *ablations.split(), *others.split()}
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
        assert config.study.split("/")[0] == name and config.hydra.runtime.choices["experiment"] == name
        assert network(config).num_classes == config.data.num_classes


@pytest.mark.parametrize("name", TABLES)
def test_rows_share_one_recipe_but_for_what_they_declare_their_own(name):
    usual = without_network(compose("experiment=main", "row=main_0_resnet20"))
    assert usual["trainer"]["num_train_epochs"] == 150
    first = {config.study: without_network(config) for config in reversed(rows(name))}  # of each of a table's studies
    for config in rows(name):
        ours, own = without_network(config), set(config.own_recipe or ())
        base = usual if config.data.name == "cifar100" and name != "pruning" else first[config.study]
        assert {key for key in {**base, **ours} if ours.get(key) != base.get(key)} == own, config.label
        assert own <= OWN.get(name, {"optimizer"})


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
    swept = {name: dict.fromkeys(config.hydra.runtime.choices["row"] for config in rows(name)) for name in TABLES}
    assert sorted(row for each in swept.values() for row in each) == files
    for name, each in swept.items():
        numbers = [re.fullmatch(rf"{name}_(\d+)_\w+", row)[1] for row in each]
        assert len({len(number) for number in numbers}) == 1, "as many digits everywhere, for the order of their names"
        assert sorted(map(int, numbers)) == list(range(len(each)))


def test_main_rows_are_trained_as_table_11_1_says():
    by_label = {config.label: recipe(config) for config in rows("main")}
    sgd = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4}
    table = dict.fromkeys(["ResNet-20", "ECA", "Ghost", "CSPNet", "ResNeSt", "GhostECA"], ("sgd", sgd))
    table |= dict.fromkeys(["ConvNeXt-like", "MLP-Mixer"], ("adamw", {"lr": 0.001, "weight_decay": 0.05}))
    assert set(by_label) == set(table)
    for label, (optimizer, options) in table.items():
        found = by_label[label]
        assert found["optimizer"]["_target_"].endswith(f".{optimizer}"), label
        assert options.items() <= found["optimizer"].items(), label
        assert found["scheduler"] == by_label["ResNet-20"]["scheduler"] and "cosine" in found["scheduler"]["_target_"]
        trainer = found["trainer"]
        assert (trainer["per_device_train_batch_size"], trainer["num_train_epochs"]) == (128, 150), label


def test_the_ladder_leads_to_the_main_tables_convnext_one_decision_a_step():
    *steps, sgd, adamw, patchify = rows("convnext_cumulative")
    assert identity(adamw) == identity(compose("experiment=main", "row=main_3_convnext"))
    models = [recipe(config)["model"] for config in (*steps, sgd)]
    assert all(one != other for one, other in pairwise(models))
    assert all(without_network(config) == without_network(sgd) != without_network(adamw) for config in steps)
    assert recipe(patchify)["optimizer"] == recipe(adamw)["optimizer"]
    torch.manual_seed(0)
    ours, theirs = build(sgd.model).eval(), build(adamw.model).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(ours(images), theirs(images)), "the last step but one is ConvNeXt-like but for its optimizer"


def test_twins_differ_in_recipe_or_network_alone():
    resnet, resnet_adamw, convnext_sgd, convnext = rows("recipe_twins")
    for one, other in ((resnet, resnet_adamw), (convnext_sgd, convnext)):
        assert recipe(one)["model"] == recipe(other)["model"]
    assert without_network(resnet) == without_network(convnext_sgd)
    assert without_network(resnet_adamw) == without_network(convnext)
    main = {identity(compose("experiment=main", f"row={row}")) for row in ("main_0_resnet20", "main_3_convnext")}
    assert {identity(resnet), identity(convnext)} == main


def test_all_tables_trains_the_rows_of_every_table_in_a_study_of_its_own(typed):
    assert EVERYTHING.keys() == {"seed", "row"}
    jobs = sweep("all_tables")
    ordered = [override for job in jobs for override in job if override.startswith("row=")]
    files = [
        file.stem
        for file in (CONF / "row").glob("*.yaml")
        if not file.stem.startswith(("distillation_", "transfer_", "pruning_"))
    ]
    assert set(ordered) == {f"row={name}" for name in files}, "but for those that need another network's weights"
    assert ordered[:8] == [f"row={config.hydra.runtime.choices['row']}" for config in rows("main")]
    assert [job[0] for job in jobs] == sorted(job[0] for job in jobs), "a seed of every row before the next seed"
    said = re.search(r"^# Runs: (\d+) = (\d+) rows", FILES["all_tables"], re.MULTILINE)
    assert (int(said[1]), int(said[2])) == (len(jobs), len(set(ordered)))
    row = "row=eca_1_k3,ghost_ratio_1_ratio2"
    quick = ("trainer=default", "data=digits", "trainer.num_train_epochs=1")
    ended = typed("train", "experiment=all_tables", "seed=0", row, *quick)
    assert ended.status == 0, ended.err
    folders = {path.parents[1].name for path in Path("multirun").glob("*/*/status.json")}
    assert folders == {"eca", "ghost_ratio"}


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
