"""The commands under ``accelerate launch``, as users type it. What it starts is tested faster by its neighbour."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[2]
SMOOTH = (
    "data=digits",
    "model.depths=[1,1,1]",
    "model.widths=[8,8,8]",
    "norm=gn",
    "activation=gelu",
    "optimizer.lr=0.01",
)
pytestmark = pytest.mark.slow


@pytest.fixture
def launch(image_cache, tmp_path, monkeypatch) -> Callable[..., subprocess.Popen]:
    """Called as (command, *arguments): two processes of it, on this machine's CPUs.

    ``accelerate launch --cpu --num_processes 2`` starts one process (accelerate 1.15); ``--multi_gpu`` starts two, with
    GPUs or without, as torchrun does.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    def start(command: str, *arguments: str) -> subprocess.Popen:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
        launcher += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
        launcher += ["--main_process_port", str(port), str(CHECKOUT / f"{command}.py")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([*launcher, *arguments], env=os.environ, **pipes)

    return start


def ended(process: subprocess.Popen) -> str:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def model(run: RunDirectory) -> torch.Tensor:
    tensors, _ = run.load_checkpoint("last")
    return torch.cat([value.flatten() for name, value in sorted(tensors.items()) if name.startswith("model.")])


def test_trains_and_evaluates_what_one_process_does(launch, typed):
    """A sweep over plain steps and accumulated ones, then a second command, each image counted once."""
    batches = "trainer.per_device_train_batch_size=64,32", "trainer.gradient_accumulation_steps=1,2"
    told = ended(launch("train", "-m", *SMOOTH, "trainer.num_train_epochs=1", *batches, "root=two"))
    assert told.count("epoch 1/1") == 4, "the main process alone speaks"
    by_step = {}
    for path in Path("two/default").glob("*/status.json"):
        run = RunDirectory(path.parent)
        assert run.state() == "finished" and run.environment()["processes"] == 2
        trainer = run.config()["trainer"]
        by_step[trainer["per_device_train_batch_size"], trainer["gradient_accumulation_steps"]] = run
    one = ["trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=128", "root=one"]
    assert typed("train", *SMOOTH, *one).status == 0
    (path,) = Path("one/default").glob("*/status.json")
    alone = RunDirectory(path.parent)
    for key in ((64, 1), (32, 2)):
        assert (model(by_step[key]) - model(alone)).abs().max() < 1e-5
        assert by_step[key].metrics()[0]["val/loss"] == pytest.approx(alone.metrics()[0]["val/loss"], rel=1e-5)

    run = by_step[64, 1]
    told = ended(launch("evaluate", f"run_dir={run.path}", "latency=false", "batch_size=90"))
    assert told.count("evaluated batch 2 of 2") == 1, "180 images each"
    by_two = json.loads((run.path / "evaluation" / "metrics.json").read_text())
    assert typed("evaluate", f"run_dir={run.path}", "latency=false").status == 0
    by_one = json.loads((run.path / "evaluation" / "metrics.json").read_text())
    assert by_two["n"] == by_one["n"] == 360 and by_two["test/top1"] == by_one["test/top1"]


def test_a_signal_to_the_launcher_stops_all_and_the_same_command_continues(launch, typed):
    arguments = [*SMOOTH, "trainer.num_train_epochs=30", "trainer.per_device_train_batch_size=64"]
    process = launch("train", *arguments)
    wait_for_an_epoch(process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    (path,) = Path("multirun/default").glob("*/status.json")
    run = RunDirectory(path.parent)
    assert run.status()["state"] == "interrupted"
    assert "continuing after epoch" in ended(launch("train", *arguments))
    assert run.state() == "finished" and len(run.metrics()) == 30


def wait_for_an_epoch(process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not list(Path("multirun").glob("default/*/checkpoints/last.safetensors")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)


def worker(launcher: int, rank: int) -> int:
    """The number of a process that the launcher started."""
    for pid in map(int, Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()):
        if f"RANK={rank}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return pid
    raise AssertionError(f"no worker {rank}")


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_is_killed_ends_all_and_the_same_command_continues(rank, launch):
    arguments = [*SMOOTH, "trainer.num_train_epochs=30", "trainer.per_device_train_batch_size=64"]
    process = launch("train", *arguments)
    wait_for_an_epoch(process)
    os.kill(worker(process.pid, rank), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0
    (path,) = Path("multirun/default").glob("*/status.json")
    run = RunDirectory(path.parent)
    assert run.state() in ("failed", "interrupted")
    done = run.load_checkpoint("last")[1]["progress"]["epoch"]
    assert len(run.metrics()) in (done, done + 1), "whose checkpoint came no more"
    assert f"continuing after epoch {done}" in ended(launch("train", *arguments))
    assert run.state() == "finished" and len(run.metrics()) == 30
