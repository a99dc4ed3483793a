"""The user's own code outside the project: trained, evaluated, loaded where it is named, refused where it is not."""

import sys
from pathlib import Path

import pytest
import torch

import cifar100
from cifar100.config import CONF, ConfigError, is_sweep, load_model, own_folders, trusting, typed_folders

MODULE = """
import torch
from torch import Tensor, nn


class ChannelScale(nn.Module):
    def __init__(self, channels: int, *, start: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale
"""
TINY = ("data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]", "trainer.num_train_epochs=1", "attention=own")


@pytest.fixture
def conf(tmp_path: Path, monkeypatch) -> Path:
    """mine/conf with one attention, its module beside it under a name that only this test uses."""
    folder = tmp_path / "mine" / "conf" / "attention"
    folder.mkdir(parents=True)
    name = f"own_scale_{tmp_path.name.replace('-', '_')}"
    (tmp_path / "mine" / f"{name}.py").write_text(MODULE)
    (folder / "own.yaml").write_text(f"_target_: {name}.ChannelScale\n_partial_: true\nstart: 0.5\n")
    monkeypatch.setattr(sys, "path", sys.path[:])
    return folder.parent


@pytest.mark.parametrize("named", ["--config-dir={}", "hydra.searchpath=[file://{}]"])
def test_what_was_trained_is_evaluated_where_its_folder_is_named(typed, conf, named):
    named = named.format("mine/conf")
    ended = typed("train", named, *TINY)
    assert ended.status == 0, ended.err
    alone = typed("evaluate", "run_dir=multirun/default", "latency=false")
    assert alone.status == 2 and "not a primitive of this checkout" in alone.err and "--config-dir" in alone.err
    ended = typed("evaluate", named, "run_dir=multirun/default", "latency=false")
    assert ended.status == 0, ended.err
    assert list(Path("multirun/default").glob("*/evaluation/metrics.json"))


def test_is_loaded_in_python_where_its_folder_is_named(typed, conf):
    assert typed("train", "--config-dir=mine/conf", *TINY).status == 0
    (run,) = Path("multirun/default").iterdir()
    with pytest.raises(ValueError, match="not a primitive"):
        cifar100.from_pretrained(run)
    network = cifar100.from_pretrained(run, conf="mine/conf")
    assert network(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    assert own_folders() == ()


def test_near_misses_know_the_own_choices(typed, conf):
    ended = typed("train", "--config-dir=mine/conf", *TINY[:-1], "attention=onw")
    assert ended.status == 2 and "own" in ended.err


def test_trust_ends_with_the_block(conf):
    target = (conf / "attention" / "own.yaml").read_text().splitlines()[0].removeprefix("_target_: ")
    model = {"_target_": "cifar100.models.network.Network", "stage": {"_target_": target, "_partial_": True}}
    with trusting([conf]), pytest.raises(ConfigError) as error:
        load_model({"model": model})
    assert "not a primitive" not in str(error.value)
    with pytest.raises(ConfigError, match="not a primitive"):
        load_model({"model": model})


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is no folder"), trusting([tmp_path / "none"]):
        pass


def test_folders_are_read_from_what_was_typed():
    arguments = ["-m", "--config-dir", "a", "-cd=b", "hydra.searchpath=[file://c, 'd/e',pkg://f]", "seed=1"]
    assert typed_folders(arguments) == [Path(each) for each in ("a", "b", "c", "d/e")]


def test_an_experiment_of_ones_own_may_be_a_sweep(tmp_path):
    (tmp_path / "experiment").mkdir()
    for name, content in {"grid": "hydra: {mode: MULTIRUN}", "one": "seed: 1", "broken": "{", "empty": ""}.items():
        (tmp_path / "experiment" / f"{name}.yaml").write_text(content)
    sweeps = {name: is_sweep([f"+experiment={name}"], [CONF, tmp_path]) for name in ("grid", "one", "broken", "empty")}
    assert sweeps == {"grid": True, "one": False, "broken": False, "empty": False}
    assert is_sweep(["seed=1", "experiment=main"], [CONF]) and not is_sweep(["experiment=no_such"], [CONF])
