"""The commands as typed: hub push, and evaluate with an hf:// address, with their exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[2]
TINY = (
    "data=digits",
    "model.depths=[1,1,1]",
    "model.widths=[4,4,8]",
    "trainer.num_train_epochs=1",
    "optimizer.lr=0.05",
)


def test_trained_pushed_pulled_and_evaluated_as_typed(hub, typed, tmp_path):
    for seed in (0, 1):
        assert typed("train", *TINY, f"seed={seed}", "ema_decay=0.9", "data.val_size=100").status == 0
    assert typed("evaluate", "run_dir=multirun/default", "latency=false").status == 0
    run = RunDirectory(next(Path("multirun/default").glob("*seed0*")))
    ended = typed("hub", "push", f"run_dir={run.path}", "repo_id=ada/digits", "license=apache-2.0")
    assert ended.status == 0 and not ended.err, ended
    commit = hub.repositories["model", "ada/digits"].branches["main"]
    assert ended.out.splitlines()[-1] == (
        f"evaluate it anywhere: python evaluate.py run_dir=hf://ada/digits@{commit}"
    )  # fmt: skip
    assert "mean ± standard deviation of 2 seeds" in hub.repositories["model", "ada/digits"].commits[commit][
        "README.md"
    ].decode()  # fmt: skip
    ended = typed("evaluate", f"run_dir=hf://ada/digits@{commit}", "latency=false")
    assert ended.status == 0, ended
    (pulled,) = map(RunDirectory, tmp_path.glob("pulled/*/ada--digits/commits/*/digits"))
    before, after = (each.read_json("metrics.json") for each in (run, pulled))
    assert {key: after[key] for key in before if key != "git"} == {key: before[key] for key in before if key != "git"}
    ours, theirs = (each.read_tensors("predictions.safetensors")[0]["logits"] for each in (run, pulled))
    assert torch.equal(ours, theirs)
    ended = typed("hub", "push", "study=multirun/default", "repo_id=ada/study")
    assert ended.status == 0 and "pushed to ada/study, commit " in ended.out


def test_every_run_that_evaluate_names_may_be_on_the_hub(hub, files, typed, monkeypatch, tmp_path):
    called = {}
    monkeypatch.setattr(
        "cifar100.app.commands.evaluate_runs", lambda run_dir, **options: called.update(options, run_dir=run_dir)
    )
    commit = hub.put("ada/net", files)
    assert typed("evaluate", "run_dir=[multirun/x,hf://ada/net]", "compare=hf://ada/net@main").status == 0
    pulled = next(tmp_path.glob(f"pulled/*/ada--net/commits/{commit}/net"))
    assert called["run_dir"] == ["multirun/x", str(pulled)] and called["compare"] == str(pulled)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hub", "push", "repo_id=ada/net"), "name either run_dir="),
        (("hub", "push", "run_dir=nowhere", "repo_id=ada/net"), "nowhere: names no run directory"),
        (("hub", "push", "repo=ada/net"), "there is no option repo"),
        (("evaluate", "run_dir=hf://ada/nothing"), "hf://ada/nothing does not exist, or is private"),
        (("evaluate", "run_dir=hf://nothing"), "repo_id=nothing can be no repository"),
    ],
)
def test_a_mistake_is_told_in_one_line(hub, typed, arguments, told):
    ended = typed(*arguments)
    assert ended.status == 2 and told in ended.err and len(ended.err.strip().splitlines()) == 1, ended


@pytest.mark.slow  # four processes that import torch
def test_in_processes_of_their_own_with_nothing_but_the_environment(hub, record, study, tmp_path):
    """What the other tests set inside the library, a user sets outside; also where the network is down, and offline."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_ada", "HF_HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1",
    }  # fmt: skip

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment | changes, capture_output=True, text=True)

    done = run("cifar100", "hub", "push", f"run_dir={record.path}", "repo_id=ada/net")
    assert done.returncode == 0, done.stderr
    down = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    done = run("cifar100", "evaluate", "run_dir=hf://ada/net", "latency=false", **down)
    assert done.returncode == 1 and done.stderr.startswith("hf://ada/net: no answer from http://127.0.0.1:9")
    assert len(done.stderr.splitlines()) == 1
    assert run("cifar100", "evaluate", "run_dir=hf://ada/net", "latency=false").returncode == 0
    (pulled,) = (tmp_path / "cache").glob("cifar100/hub/*/ada--net/commits/*/net")
    metrics = json.loads((pulled / "evaluation" / "metrics.json").read_text())
    assert metrics["test/loss"] == record.read_json("metrics.json")["test/loss"]
    hub.requests.clear()
    offline = run("cifar100", "evaluate", "run_dir=hf://ada/net", "latency=false", HF_HUB_OFFLINE="1")
    assert offline.returncode == 0 and not hub.requests, offline.stderr
