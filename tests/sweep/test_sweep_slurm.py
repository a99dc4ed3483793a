"""A sweep on a Slurm cluster of two nodes, brought up on this machine by Debian's slurm-wlm and munge."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import torch

from cifar100.record import RunDirectory

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
TRAIN = Path(__file__).parents[2] / "train.py"
SETTINGS = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
SlurmctldPort={ports[0]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
StateSaveLocation={folder}/state
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
SlurmdSpoolDir={folder}/%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmctldTimeout=600
SlurmdTimeout=600
KillWait=10
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=all Nodes=one,two Default=YES MaxTime=INFINITE State=UP
"""


pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs pip install 'cifar100-lab[slurm]'")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"needs Slurm and MUNGE: no {MISSING}")]


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The cluster; called as (program, *arguments): what a command of Slurm's prints."""
    with tempfile.TemporaryDirectory(prefix="slurm") as name:  # pytest's own folders are too long for a socket
        yield from _cluster(Path(name), monkeypatch)


def _cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    for name in ("munge", "state", "one", "two"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host, user = socket.gethostname().split(".")[0], Path.home().owner()
    (folder / "slurm.conf").write_text(SETTINGS.format(host=host, user=user, folder=folder, ports=_free_ports(3)))
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))

    def ask(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True).stdout

    munge = [f"--{name}={folder}/munge/{name}" for name in ("socket", "pid-file", "log-file", "seed-file")]
    with ExitStack() as running:
        for command in (
            ["munged", "--foreground", "--force", "--num-threads=1", f"--key-file={key}", *munge],
            ["slurmctld", "-D", "-c"],
            ["slurmd", "-D", "-N", "one"],
            ["slurmd", "-D", "-N", "two"],
        ):
            running.enter_context(_process(command, folder / "out"))
            if command[0] == "munged":
                _wait_for((folder / "munge" / "socket").exists, folder)
        _wait_for(lambda: ask("scontrol", "show", "nodes", "--oneliner").count("State=IDLE ") == 2, folder)
        yield ask
        ask("scancel", "--user", user)


@contextmanager
def _process(command: list[str], out: Path) -> Iterator[None]:
    with out.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_for(condition: Callable[[], bool], folder: Path, timeout_s: float = 300) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, (folder / "out").read_text()
        time.sleep(0.5)


def test_runs_on_both_nodes_and_continues_a_job_at_its_time_limit(slurm, tiny, typed, tmp_path):
    """By the signal that Slurm sends before the limit. The job is queued again and ends with the bits of a run that was
    left alone."""
    overrides = (*tiny[:-1], "trainer.num_train_epochs=20", "study=slurm")
    options = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1")
    out = tmp_path / "out"
    command = [sys.executable, str(TRAIN), "-m", *overrides, "seed=0,1,2,3", *options]
    with out.open("w") as stream, subprocess.Popen(command, cwd=tmp_path, stdout=stream, stderr=stream) as sweep:
        try:
            runs = "multirun/slurm/*-seed0-*"
            _wait_for(lambda: any(len(RunDirectory(run).metrics()) > 1 for run in tmp_path.glob(runs)), tmp_path)
            slurm("scancel", "--signal=USR2", "1_0")
            assert sweep.wait(900) == 0, out.read_text()
        finally:
            sweep.kill()
    shown = out.read_text()
    assert shown.rstrip().endswith("4 jobs: 4 finished") and "sacct" not in shown
    jobs = slurm("scontrol", "show", "jobs", "--oneliner")
    assert "NodeList=one " in jobs and "NodeList=two " in jobs
    (again,) = [job for job in jobs.splitlines() if "ArrayTaskId=0 " in job]
    assert "Restarts=1 " in again
    (ours,) = tmp_path.glob(runs)
    assert "continuing after epoch" in (ours / "train.log").read_text()
    assert typed("train", *overrides, "seed=0", "root=alone").status == 0
    (alone,) = tmp_path.glob("alone/slurm/*-seed0-*")
    weights, expected = (RunDirectory(run).load_checkpoint("last")[0] for run in (ours, alone))
    assert weights.keys() == expected.keys() and all(torch.equal(weights[name], expected[name]) for name in weights)
