"""The command evaluate.py with conf/evaluate.yaml: what it writes and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from cifar100.config import CONF, build, recipe
from cifar100.record import RunDirectory

COMMAND = Path(__file__).parents[2] / "evaluate.py"
pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="an installed package has no evaluate.py")


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


def command(study: Path, *arguments: str) -> subprocess.CompletedProcess:
    folder = study.parents[1]
    environment = os.environ | {"TMPDIR": str(folder / "temporary"), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, str(COMMAND), *arguments, "latency=false"],
        cwd=folder, env=environment | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_glob_evaluates_all_and_leaves_nothing_else(study):
    done = command(study, "run_dir=multirun/digits/*")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[-2:]] == ["seed0", "seed1"]
    assert entries(study.parents[1]) <= {"multirun", "cache"}
    assert entries(study) == {"seed0", "seed1"}
    for run in study.iterdir():
        assert (run / "evaluation" / "metrics.json").exists() and not (run / ".hydra").exists()


def test_a_sweep_leaves_nothing_in_the_working_folder(study):
    done = command(study, "-m", "run_dir=multirun/digits/seed0,multirun/digits/seed1", "checkpoint=best")
    assert done.returncode == 0, done.stderr
    assert (study / "seed1" / "evaluation" / "metrics.json").exists()
    assert entries(study.parents[1]) <= {"multirun", "cache", "temporary"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run_dir=multirun/digits/seed0", "checkpoint=bset"], "did you mean best?"),
        ([], "run_dir"),
    ],
)
def test_mistakes_are_one_line(study, arguments, message):
    done = command(study, *arguments)
    assert done.returncode != 0
    assert message in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
