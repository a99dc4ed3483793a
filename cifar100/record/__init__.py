"""Run directories: one folder per run, written atomically, read as untrusted data. Needs torch only for tensors."""

from cifar100.base.errors import RecordError, RunLocked
from cifar100.base.files import atomic_write
from cifar100.record.environment import describe_environment
from cifar100.record.find import find_runs
from cifar100.record.run_directory import RunDirectory
from cifar100.record.state_tree import flatten_state, unflatten_state

__all__ = [
    "RecordError",
    "RunDirectory",
    "RunLocked",
    "atomic_write",
    "describe_environment",
    "find_runs",
    "flatten_state",
    "unflatten_state",
]
