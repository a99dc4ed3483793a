"""Hydra's next version, from its release candidate: single runs, experiments and searches work there as here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
NEXT = ("hydra-core==1.4.0rc3", "omegaconf==2.4.1rc1")
TINY = ("data=digits", "data.val_size=1000", "model.depths=[1,1,1]", "model.widths=[8,8,8]", "trainer=default")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("next")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *NEXT]
    if subprocess.run(pip, capture_output=True).returncode:
        pytest.skip(f"needs {' and '.join(NEXT)} from the package index")
    return folder


@pytest.mark.parametrize(
    ("typed", "last"),
    [
        (["trainer.num_train_epochs=1"], "last epoch 1"),
        (["trainer.num_train_epochs=0", "experiment=eca"], "counted"),
        (["trainer.num_train_epochs=1", "experiment=hpo", "hydra.sweeper.n_trials=2"], "2 jobs: 2 finished"),
    ],
    ids=["a run", "an experiment", "a search"],
)
def test_commands_work(typed, last, installed, image_cache, tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), str(CHECKOUT)])}
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    shown = subprocess.run([sys.executable, "-c", "import hydra; print(hydra.__version__)"], **options)
    assert shown.stdout.strip() == "1.4.0rc3", shown.stderr
    ended = subprocess.run([sys.executable, "-m", "cifar100", "train", *TINY, *typed], **options)
    assert ended.returncode == 0, ended.stderr
    assert last in ended.stdout.splitlines()[-1]
    assert "Warning" not in ended.stderr, "nothing that the user could not mend"
