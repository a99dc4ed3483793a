"""Sweeps whose runs are tasks of a Ray cluster on this machine."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from cifar100.app.checks import _check_hidden_gpus
from cifar100.base.errors import UserError
from cifar100.record import RunDirectory

TRAIN = Path(__file__).parents[2] / "train.py"
# Ray's workers give way to all else on the machine, if not told otherwise; a token would be left in the home folder.
SETTINGS = {"RAY_worker_niceness": "0", "RAY_AUTH_MODE": "disabled"}
RAY = ("hydra/launcher=ray_cluster", "+hydra.launcher.ray.init.num_cpus=2", "study=ray")


def test_a_task_that_hides_the_gpus_is_refused(monkeypatch):
    resources = {"CPU": 2.0, "GPU": 1.0}
    ray = SimpleNamespace(is_initialized=lambda: True, cluster_resources=lambda: resources)
    monkeypatch.setitem(sys.modules, "ray", ray)
    config = OmegaConf.create({"launcher": {"ray": {"remote": {"num_gpus": 0}}}})
    monkeypatch.setattr("cifar100.app.checks.HydraConfig", SimpleNamespace(get=lambda: config))
    with pytest.raises(UserError, match="use 1, a fraction such as 0.25 for four runs on each, or null"):
        _check_hidden_gpus()
    for asked in (1, 0.25, None):
        config.launcher.ray.remote.num_gpus = asked
        _check_hidden_gpus()
    config.launcher.ray.remote.num_gpus = 0
    del resources["GPU"]
    _check_hidden_gpus()


@pytest.mark.slow
def test_runs_are_tasks_and_none_hides_a_gpu(tiny, image_cache, tmp_path):
    """The cluster only says that it has a GPU."""
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs pip install 'cifar100-lab[ray]'")

    def sweep(*overrides: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(TRAIN), "-m", *tiny, *RAY, *overrides]
        options = {"cwd": tmp_path, "env": os.environ | SETTINGS, "capture_output": True, "text": True}
        return subprocess.run(command, **options, timeout=900)

    ended = sweep("seed=0,1")
    assert ended.returncode == 0 and "2 jobs: 2 finished" in ended.stdout, ended.stderr
    assert all(RunDirectory(run).state() == "finished" for run in tmp_path.glob("multirun/ray/*-seed?-*"))
    ended = sweep("seed=2,3", "+hydra.launcher.ray.init.num_gpus=1")
    assert ended.returncode != 0 and "2 jobs: 2 failed" in ended.stdout
    assert "num_gpus=0 hides the cluster's GPUs; use 1, a fraction such as 0.25" in ended.stderr
    ended = sweep("seed=2", "+hydra.launcher.ray.init.num_gpus=1", "hydra.launcher.ray.remote.num_gpus=0.5")
    assert ended.returncode == 0 and "1 job: 1 finished" in ended.stdout, ended.stderr
