"""What is parsed and composed once is what it would be by hydra alone."""

import os
from types import SimpleNamespace

import pytest
import yaml
from hydra._internal.hydra import Hydra
from omegaconf import OmegaConf

from cifar100.config import CONF, compose_quickly
from cifar100.config.composition import _ParsedOnce

compose_quickly()
FILES = sorted(CONF.rglob("*.yaml"))


def load(path):
    with path.open(encoding="utf-8") as file:
        return _ParsedOnce.load(file)


def test_every_file_is_as_omegaconf_reads_it():
    for path in FILES:
        expected = OmegaConf.load(path)
        for _ in range(2):
            found = load(path)
            assert type(found) is type(expected) and OmegaConf.to_container(found) == OmegaConf.to_container(expected)


def test_each_has_an_object_of_its_own_and_changes_are_seen(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("a: {b: 1}")
    load(path).a.b = 2
    assert load(path).a.b == 1
    path.write_text("a: {b: 3}")
    os.utime(path, ns=(1, 1))
    assert load(path).a.b == 3


def test_only_experiments_set_the_mode():
    """Else hydra must be asked for it, see compose_quickly."""
    setting = {path for path in FILES if "mode" in (yaml.safe_load(path.read_text()) or {}).get("hydra", {})}
    assert setting and all(path.parent == CONF / "experiment" for path in setting)


@pytest.mark.parametrize(
    ("overrides", "provider", "asked"),
    [
        (["optimizer.lr=0.1", "attention=eca"], "main", False),
        (["+experiment=main"], "main", True),
        (["experiment=main"], "main", True),
        (["hydra.mode=MULTIRUN"], "main", True),
        (["attention=own"], "command-line", True),
    ],
)
def test_hydra_is_asked_for_the_mode_where_it_may_be_set(overrides, provider, asked):
    search_path = SimpleNamespace(get_path=lambda: [SimpleNamespace(provider=provider)])
    loader = SimpleNamespace(get_search_path=lambda: search_path)
    composed = SimpleNamespace(hydra=SimpleNamespace(mode="as composed"))
    hydra = SimpleNamespace(config_loader=loader, compose_config=lambda **_: composed)
    assert Hydra.get_mode(hydra, "train", overrides) == ("as composed" if asked else None)
