import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import torch

import cifar100
from cifar100.record import describe_environment


def test_the_environment_is_plain_complete_and_without_places(run):
    environment = describe_environment()
    run.write_environment(environment)
    assert run.environment() == environment
    text = json.dumps(environment)
    for place in (str(Path(cifar100.__file__).parents[1]), str(Path.home()), sys.prefix, platform.node()):
        assert place == "/" or place not in text.split('"')
        assert len(place) < 4 or place not in text
    assert environment["versions"]["torch"] == torch.__version__
    assert environment["versions"]["python"] == platform.python_version()
    assert environment["hardware"]["threads"] == torch.get_num_threads()
    assert environment["hardware"]["cpu_cores"] == os.cpu_count()
    assert environment["hardware"]["memory_bytes"] > 2**28
    assert len(environment["hardware"]["gpus"]) == torch.cuda.device_count()


def _git(folder, *command):
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)


def _describe_copy(folder, **environment):
    code = "import json, cifar100.record as r; print(json.dumps(r.describe_environment()['git']))"
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.check_output(command, cwd=folder, env=os.environ | environment))


def test_commit_and_dirtiness_are_those_of_the_program(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    for package in ("base", "record"):
        shutil.copytree(Path(cifar100.__file__).parent / package, tmp_path / "cifar100" / package, ignore=ignore)
    (tmp_path / "cifar100" / "__init__.py").touch()
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    assert _describe_copy(tmp_path) is None, "no checkout"
    _git(tmp_path, "init", "-q")
    assert _describe_copy(tmp_path) is None, "somebody else's checkout: the program is not in it"
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "m")
    git = _describe_copy(tmp_path, GIT_DIR="/nowhere")
    assert len(git["commit"]) == 40 and git["dirty"] is False
    (tmp_path / "multirun").mkdir()
    (tmp_path / "multirun" / "x").touch()
    assert _describe_copy(tmp_path)["dirty"] is False, "results are no source"
    (tmp_path / "cifar100" / "new_attention.py").touch()
    assert _describe_copy(tmp_path) == {"commit": git["commit"], "dirty": True}


def test_no_git_no_answer(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert describe_environment()["git"] is None
