"""Worker processes beside each other: each takes the GPU with the fewest takers."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from cifar100.base.errors import UserError
from cifar100.sweep import worker

TAKE = """
import sys, time, json
from pathlib import Path
from cifar100.sweep import worker
print(json.dumps(worker._take(["2", "GPU-abc/1"], Path(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


def test_gpus_are_shared_evenly_and_freed_by_death(tmp_path):
    def start() -> tuple[subprocess.Popen, str]:
        process = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", TAKE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        stack.callback(process.kill)
        return process, json.loads(process.stdout.readline())

    with ExitStack() as stack:
        (first, one), (_, other) = start(), start()
        assert (one, other) == ("2", "GPU-abc/1")
        _, again = start()
        assert again == "2", "shared where there are more processes than GPUs"
        first.kill()
        first.wait()
        assert start()[1] == "2", "that of the dead process, before a third taker of the same"


def test_processes_are_cores_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(worker, "_gpus", list)
    monkeypatch.setattr(worker.os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert worker.processes() == 3
    monkeypatch.setattr(worker, "_gpus", lambda: ["0", "1"])
    assert worker.processes() == 2 and worker.processes(4) == 8
    for wrong in (0, 1.5, True):
        with pytest.raises(UserError, match="at least 1"):
            worker.processes(wrong)


@pytest.mark.parametrize(
    ("named", "counted", "expected"),
    [
        ("MIG-a, MIG-b,MIG-c", 1, ["MIG-a", "MIG-b", "MIG-c"]),
        ("MIG-a,MIG-b", 0, []),
        ("GPU-x,7,99", 2, ["GPU-x", "7"]),
        ("", 2, ["0", "1"]),
    ],
)
def test_slices_of_a_gpu_are_all_there_although_cuda_counts_one(monkeypatch, tmp_path, named, counted, expected):
    monkeypatch.setattr(worker, "DEVICES", (str(tmp_path),))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    monkeypatch.setattr("torch.cuda.device_count", lambda: counted)
    assert worker._gpus() == expected


def test_a_worker_compiles_with_its_share_of_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_settled", False)
    monkeypatch.setattr(worker, "in_worker", lambda: True)
    monkeypatch.setattr(worker, "_gpus", list)
    monkeypatch.setattr(worker.threading.Thread, "start", lambda thread: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "")  # so that it is put back
    monkeypatch.delenv("TORCHINDUCTOR_COMPILE_THREADS")
    worker.settle(tmp_path)
    assert worker.os.environ["TORCHINDUCTOR_COMPILE_THREADS"] == "3"


def test_this_is_no_worker(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(worker, "_gpus", lambda: ["0"])
    worker.settle(tmp_path)
    assert not worker.in_worker() and "CUDA_VISIBLE_DEVICES" not in worker.os.environ
