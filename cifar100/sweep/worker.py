"""A job in a process of its own beside others: cores, GPUs and signals shared in order."""

import multiprocessing
import os
import platform
import signal
import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.base.values import is_whole
from cifar100.record import RunLocked
from cifar100.record.lock import hold

DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # of drivers: NVIDIA's, AMD's, Windows'
_held = ExitStack()
_settled = False


def in_worker() -> bool:
    """Whether this is a worker process of joblib, which ends with the sweep."""
    return multiprocessing.current_process().name.startswith("LokyProcess")


def processes(per_gpu: int = 1) -> int:
    """How many runs this machine trains side by side: ``per_gpu`` on each GPU, or one on each CPU core where there is
    none.

    Raises:
        UserError: ``per_gpu`` is no whole number of at least 1.
    """
    if not is_whole(per_gpu) or per_gpu < 1:
        raise UserError(f"runs per GPU must be a whole number of at least 1, not {per_gpu}; write ${{processes:2}}")
    return len(_gpus()) * per_gpu or cores()


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settle(folder: Path) -> None:
    """Prepares a worker process, once, for jobs beside those of others, before torch is imported.

    joblib has set the number of threads, to its share of the cores; as many compile networks, and what they compile is
    kept where torch keeps it for all processes of a user. The process takes a GPU that no other one has, or the least
    shared one, and ends when the process that started it has ended.
    """
    global _settled
    if _settled or not in_worker():
        return
    _settled = True
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    if gpus := _gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = _take(gpus, folder)


def _gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them. Imports torch only where some may be.

    CUDA shows a process one slice of a GPU at most, so torch counts one where several are named (MIG-...); they are
    all there for as many processes.
    """
    apple = platform.system() == "Darwin"
    if not apple and not any(map(os.path.exists, DEVICES)):
        return []
    import torch

    if apple:
        return ["0"] if torch.backends.mps.is_available() else []

    listed = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if listed and torch.cuda.device_count() and all(name.startswith("MIG-") for name in listed):
        return listed
    return (listed or [str(index) for index in range(torch.cuda.device_count())])[: torch.cuda.device_count()]


def _take(gpus: list[str], folder: Path) -> str:
    """The first GPU with the fewest takers. It stays taken until this process ends."""
    for turn, gpu in ((turn, gpu) for turn in count() for gpu in gpus):
        try:
            _held.enter_context(hold(folder / f"gpu-{gpu.replace('/', '_')}-{turn}.lock", patience_s=0.0))
            return gpu
        except RunLocked:
            continue
    raise AssertionError("count() never ends")


def _end_with(parent: int) -> None:
    """Ends this process after another: a job that is under way has its own handler, saves its state first, and gives
    the signal back to the system."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    while signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)
