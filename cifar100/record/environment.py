"""Where a result comes from: code version, library versions, hardware. No host names, no paths."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTIONS = (
    "torch", "torchvision", "accelerate", "transformers", "datasets", "hydra-core", "omegaconf", "numpy", "safetensors"
)  # fmt: skip
SOURCES = ("cifar100", "conf")


def describe_environment() -> dict[str, Any]:
    """Plain data: git commit and dirtiness of this program's sources (None for an installed wheel), versions, hardware.

    GPUs and thread counts are given where the caller has imported torch, which this never does itself.
    """
    return {"git": _git(), "versions": _versions(), "hardware": _hardware()}


def _git() -> dict[str, Any] | None:
    """Asks git only where it tracks this very file: a wheel may be installed inside somebody else's checkout.

    A checkout whose commit git does not tell has ``fault``, the reason, beside the null commit.
    """
    here = Path(__file__).resolve()
    root = here.parents[2]
    tracked, fault = _run(root, "git", "ls-files", "--error-unmatch", str(here))
    if tracked is None:
        return {"commit": None, "dirty": None, "fault": fault} if fault and (root / ".git").exists() else None
    commit, fault = _run(root, "git", "rev-parse", "HEAD")
    changes, _ = _run(root, "git", "status", "--porcelain", "--", *SOURCES)
    answer = {"commit": commit, "dirty": None if changes is None else changes != ""}
    return answer if commit else answer | {"fault": fault or "git finds no commit"}


def _run(folder: Path, *command: str) -> tuple[str | None, str | None]:
    """The output, or None and why git could not look; no reason where it looked and said no."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        return None, "git did not answer within 10 s"
    except OSError:
        return None, "git is not installed or cannot be started"
    if done.returncode == 0:
        return done.stdout.decode(errors="replace").strip(), None
    if b"dubious ownership" in done.stderr:
        return None, "git distrusts the owner of the checkout; git config --global --add safe.directory trusts it"
    return None, None if done.returncode == 1 else f"git failed with exit status {done.returncode}"


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in ("cifar100", *DISTRIBUTIONS):
        try:
            versions[name] = metadata.version("cifar100-lab" if name == "cifar100" else name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    if "torch" in sys.modules:
        versions["torch"] = str(sys.modules["torch"].__version__)  # names the build too, such as +cu130
    return versions


def _hardware() -> dict[str, Any]:
    hardware: dict[str, Any] = {
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpu_cores": os.cpu_count(),
        "cpu_cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        hardware["threads"] = torch.get_num_threads()
        hardware["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
        hardware["cuda"] = torch.version.cuda if torch.cuda.is_available() else None
        kinds = (torch.cuda, torch.xpu)
        gpus = [kind.get_device_properties(i) for kind in kinds for i in range(kind.device_count())]
        if hardware["cuda"]:
            hardware["cudnn"], hardware["driver"] = torch.backends.cudnn.version(), _driver_version()
            tf32 = {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32}
            hardware["tf32"] = tf32
        hardware["gpus"] = [{"name": gpu.name, "memory_bytes": gpu.total_memory} for gpu in gpus]
    return hardware


def _driver_version() -> str | None:
    """Of NVIDIA's kernel module; None where Linux does not say."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"Kernel Module\D*([\d.]+)", text)
    return found[1] if found else None


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
