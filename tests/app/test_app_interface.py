"""import cifar100: the commands as functions, several times in a process, with one class of errors."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import cifar100
from cifar100.base.errors import UserError

TINY = ["data=digits", "data.val_size=1000", "model.depths=[1,1,1]", "model.widths=[8,8,8]", "seed=1"]
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, image_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which is empty; the test leaves no handlers and no composed configuration behind."""
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.getLogger("cifar100").handlers[:], logging.getLogger("cifar100").level
    yield tmp_path
    log = logging.getLogger("cifar100")
    assert (log.handlers, log.level, log.propagate) == (handlers, level, True)
    assert not GlobalHydra.instance().is_initialized() and HydraConfig.instance().cfg is None


@pytest.fixture(autouse=True)
def _no_configuration_of_other_tests(monkeypatch):
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)


def test_trains_evaluates_and_predicts_several_times(here, capfd):
    typed = [*TINY, "trainer.num_train_epochs=1"]
    run = cifar100.train(typed, quiet=True)
    assert run.is_absolute() and run.parent == here / "multirun" / "default"
    out = capfd.readouterr()
    assert out.out == "" and "epoch 1" in (run / "train.log").read_text()
    weights = (run / "checkpoints" / "last.safetensors").read_bytes()
    assert cifar100.train(typed) == run and "is finished" in capfd.readouterr().out
    assert (run / "checkpoints" / "last.safetensors").read_bytes() == weights
    second = cifar100.train([*typed, "norm=gn"], quiet=True)
    assert second != run

    found = cifar100.evaluate(run, latency=False)
    assert found["n"] == 360 and found["checkpoint"] == "best"
    classifier = cifar100.load(run)
    assert classifier.class_names == tuple("0123456789")
    picture = np.zeros((8, 8), np.uint8)
    by_path, by_network = cifar100.predict(run, picture, top=3), cifar100.predict(classifier, [picture, picture], top=3)
    for one, other in zip(by_path["image 0"], by_network["image 1"], strict=True):
        assert one.name == other.name and one.probability == pytest.approx(other.probability, abs=1e-6)
    rows = cifar100.runs("multirun", sort="run")
    assert {row["run"] for row in rows} == {str(each.relative_to(here)) for each in (run, second)}


def test_composes_and_builds_what_the_command_would(here):
    assert cifar100.compose("attention=eca").attention["_target_"].endswith("EfficientChannelAttention")
    assert "hydra" not in cifar100.compose()
    state = torch.get_rng_state()
    first, second = cifar100.build(TINY), cifar100.build(TINY)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cifar100.build("attention=ecaa"), "did you mean eca?"),
        (lambda: cifar100.compose("optimizer.lrr=1"), "there is no option optimizer.lrr; did you mean lr?"),
        (lambda: cifar100.build("downsample=avgpool"), "has no effect"),
        (lambda: cifar100.build("model.depths=[0]"), "depths"),
        (lambda: cifar100.train(["experiment=main"]), "this is a sweep"),
        (lambda: cifar100.train([*TINY, "seed=-1"]), "seed=-1"),
        (lambda: cifar100.load("multirun/none"), "names no run directory"),
        (lambda: cifar100.evaluate("multirun/none"), "names no run directory"),
        (lambda: cifar100.from_pretrained("multirun/none/run"), "no repository"),
        (lambda: cifar100.runs("none"), "names no run directory"),
    ],
)
def test_mistakes_are_one_error_in_one_line(here, call, message):
    with pytest.raises(UserError) as error:
        call()
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not list(here.rglob("*.json"))


def test_a_folder_of_the_users_own_is_composed_with(here):
    (here / "conf" / "attention").mkdir(parents=True)
    (here / "conf" / "attention" / "mine.yaml").write_text("_target_: torch.nn.Identity\n_partial_: true\n")
    assert cifar100.compose("attention=mine", conf="conf").attention["_target_"] == "torch.nn.Identity"
    with pytest.raises(UserError, match="attention=mine is unknown"):
        cifar100.compose("attention=mine")


def test_importing_the_package_does_not_wait_for_torch():
    code = "import sys, cifar100; cifar100.UserError; print('torch' in sys.modules, 'train' in dir(cifar100))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.slow
def test_the_tour_runs(here):
    done = subprocess.run([sys.executable, CHECKOUT / "docs" / "tour.py"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "77,763 parameters" in done.stdout and "did you mean eca?" in done.stdout
