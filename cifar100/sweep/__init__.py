"""Sweeps: what became of every job, wherever it ran, and how worker processes share a machine. Needs no torch."""

from cifar100.sweep.job import Job
from cifar100.sweep.plan import fault
from cifar100.sweep.sweep import Sweep, begin, close, elsewhere, end, leads, prefix, stop_workers
from cifar100.sweep.worker import cores, in_worker, processes

__all__ = [
    "Job",
    "Sweep",
    "begin",
    "close",
    "cores",
    "elsewhere",
    "end",
    "fault",
    "in_worker",
    "leads",
    "prefix",
    "processes",
    "stop_workers",
]
