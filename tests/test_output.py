"""No fault of the output ends a run: closed and full streams, terminals that lack a character."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]
TRAIN = "train.py data=digits data.val_size=1000 model.depths=[1,1,1] model.widths=[8,8,8] trainer.num_train_epochs=1"


@pytest.mark.parametrize(
    "redirection",
    [
        ">&- 2>&-",
        ">/dev/full 2>/dev/full",
        *(pytest.param(each, marks=pytest.mark.slow) for each in (">&-", ">/dev/full")),
    ],
)
def test_a_run_ends_well_without_an_output(redirection, tmp_path, image_cache):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = f"'{sys.executable}' {CHECKOUT}/{TRAIN} root={tmp_path}/runs {redirection}"
    done = subprocess.run(["sh", "-c", command], cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)})
    assert done.returncode == 0
    (status,) = tmp_path.glob("runs/*/*/status.json")
    assert json.loads(status.read_text())["state"] == "finished"


def test_characters_that_a_terminal_lacks_are_escaped(tmp_path):
    RunDirectory(tmp_path / "研究" / "run").write_status("finished")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "cifar100", "runs", "研究"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert b"\\u7814\\u7a76" in done.stdout
