"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
# One thread per process: tests run beside each other on small machines, and bitwise comparisons must not depend on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def cifar100_path() -> Path:
    """The folder with the real CIFAR-100, beside the checkout or named by CIFAR100_PATH; skips where there is none."""
    path = Path(os.environ.get("CIFAR100_PATH", CHECKOUT.parent / "shared" / "cifar100"))
    if not path.is_dir():
        pytest.skip(f"needs the real CIFAR-100 at {path.name}; name its folder in CIFAR100_PATH")
    return path
