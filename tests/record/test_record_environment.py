import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import cifar100
from cifar100.record import describe_environment, environment


def test_the_environment_is_plain_complete_and_without_places(run):
    described = describe_environment()
    run.write_environment(described)
    assert run.environment() == described
    text = json.dumps(described)
    for place in (str(Path(cifar100.__file__).parents[1]), str(Path.home()), sys.prefix, platform.node()):
        assert place == "/" or place not in text.split('"')
        assert len(place) < 4 or place not in text
    assert described["versions"]["torch"] == torch.__version__
    assert described["versions"]["python"] == platform.python_version()
    assert described["hardware"]["threads"] == torch.get_num_threads()
    assert described["hardware"]["cpu_cores"] == os.cpu_count()
    assert described["hardware"]["memory_bytes"] > 2**28
    assert len(described["hardware"]["gpus"]) == torch.cuda.device_count()


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


@pytest.mark.parametrize(
    "program, fault",
    [
        (None, "git is not installed"),
        ('GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {git} "$@"', "git distrusts the owner"),
        ("exit 128", "git failed with exit status 128"),
    ],
)
def test_a_commit_that_git_does_not_tell_is_a_fault_in_the_record(program, fault, tmp_path, monkeypatch):
    file = tmp_path / "checkout" / "cifar100" / "record" / "environment.py"
    file.parent.mkdir(parents=True)
    file.touch()
    _git(tmp_path / "checkout", "init", "-q")
    _git(tmp_path / "checkout", "add", ".")
    monkeypatch.setattr(environment, "__file__", str(file))
    programs = tmp_path / "programs"
    programs.mkdir()
    if program:
        (programs / "git").write_text("#!/bin/sh\n" + program.format(git=shutil.which("git")) + "\n")
        (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    git = describe_environment()["git"]
    assert git["commit"] is None and git["dirty"] is None
    assert git["fault"].startswith(fault) and str(tmp_path) not in git["fault"]


def test_no_checkout_no_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "cifar100" / "record" / "environment.py"))
    assert describe_environment()["git"] is None
