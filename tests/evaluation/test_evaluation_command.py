"""The command evaluate with conf/evaluate.yaml: the files that it writes, and no others."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from cifar100.config import CONF, build, recipe
from cifar100.record import RunDirectory


@pytest.fixture
def study(tmp_path) -> Path:
    """multirun/digits with two recorded runs that were never trained."""
    for seed in (0, 1):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            tiny = ["data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]", f"seed={seed}"]
            config = compose("train", overrides=tiny)
        run = RunDirectory(tmp_path / "multirun" / "digits" / f"seed{seed}")
        run.write_config(recipe(config))
        torch.manual_seed(seed)
        weights = {f"model.{name}": tensor for name, tensor in build(config.model).state_dict().items()}
        run.save_checkpoint("best", weights, {"metrics": {"epoch": 1}})
        run.write_status("finished")
    return tmp_path / "multirun" / "digits"


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_glob_evaluates_all_and_leaves_nothing_else(study, typed):
    ended = typed("evaluate", "run_dir=multirun/digits/*", "latency=false")
    assert ended.status == 0, ended.err
    assert [line.split()[0] for line in ended.out.splitlines()[-2:]] == ["seed0", "seed1"]
    assert entries(study.parents[1]) == {"multirun"}
    assert entries(study) == {"seed0", "seed1"}
    for run in study.iterdir():
        assert (run / "evaluation" / "metrics.json").exists() and not (run / ".hydra").exists()


def test_a_sweep_leaves_nothing_in_the_working_folder(study, typed, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    runs = "run_dir=multirun/digits/seed0,multirun/digits/seed1"
    ended = typed("evaluate", "-m", runs, "checkpoint=best", "latency=false")
    assert ended.status == 0, ended.err
    assert (study / "seed1" / "evaluation" / "metrics.json").exists()
    assert entries(study.parents[1]) == {"multirun"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run_dir=multirun/digits/seed0", "checkpoint=bset"], "did you mean best?"),
        ([], "run_dir"),
    ],
)
def test_mistakes_are_one_line(study, typed, arguments, message):
    ended = typed("evaluate", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.splitlines()) == 1
