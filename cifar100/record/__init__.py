"""Run directories: one folder per run, written atomically, read as untrusted data. Needs torch only for tensors."""

from .environment import describe_environment
from .errors import RecordError, RunLocked
from .files import atomic_write
from .find import find_runs
from .run_directory import RunDirectory
from .state_tree import flatten_state, unflatten_state

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
