import subprocess
import sys
from pathlib import Path

import pytest

import cifar100
from cifar100.record import RunDirectory

SOURCE = Path(cifar100.__file__).resolve().parents[1]


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "study" / "run")


@pytest.fixture
def other_process():
    """Start `code` in another process, which is killed at the end of the test; its first line of output is awaited."""
    started = []

    def start(code: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
