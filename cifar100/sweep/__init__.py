"""Sweeps: what became of every job, wherever it ran, and how worker processes share a machine. Needs no torch."""

from .job import Job
from .sweep import Sweep, begin, close, elsewhere, end, prefix, stop_workers
from .tidy import remove_empty
from .worker import in_worker, processes

__all__ = [
    "Job",
    "Sweep",
    "begin",
    "close",
    "elsewhere",
    "end",
    "in_worker",
    "prefix",
    "processes",
    "remove_empty",
    "stop_workers",
]
