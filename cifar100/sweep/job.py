"""One job of a sweep, and the file by which it tells the process that was typed how it went, wherever it ran."""

import json
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cifar100.base.errors import ELSEWHERE, FAILED, RecordError
from cifar100.base.files import atomic_write
from cifar100.base.text import one_line
from cifar100.record import RunDirectory

# What became of a job. "skipped": finished before; "counted": no epochs were asked for, only the network's costs;
# "pruned": its search gave it up; "running": another process works on the run; "begun": nothing was heard of it after
# its start.
STATES = ("not begun", "begun", "finished", "skipped", "counted", "pruned", "failed", "interrupted", "running")


@dataclass
class Job:
    """``num`` is its number in the sweep, ``path`` its run directory, ``status`` the exit status that its failure asks
    for, ``worker`` whether it runs in a process that is its sweep's own and ends with it, ``objective`` what a search
    for hyper-parameters is after: the best top-1 accuracy on the held-out images."""

    num: int
    overrides: list[str]
    label: str | None = None
    path: str = ""
    state: str = "not begun"
    reason: str = ""
    status: int = 0
    pid: int = 0
    host: str = ""
    worker: bool = False
    parameters: int = 0
    macs: int = 0
    objective: float | None = None

    def here(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    def write(self, folder: Path) -> None:
        """Notes in the sweep's folder what is known now. A place that cannot be written is no fault of the run."""
        with suppress(OSError, RecordError):
            if folder.is_dir():  # the sweep may have ended
                atomic_write(folder / f"{self.num}.json", json.dumps(asdict(self)).encode())


def read_jobs(folder: Path) -> dict[int, Job]:
    """The jobs of a sweep as far as they have reported, by number."""
    found = {}
    for path in folder.glob("*.json"):
        with suppress(OSError, ValueError, TypeError):
            job = _parse(json.loads(path.read_text(encoding="utf-8")))
            found[job.num] = job
    return found


def _parse(values: dict[str, Any]) -> Job:
    job = Job(**{field.name: values[field.name] for field in fields(Job) if field.name in values})
    job.label = job.label and one_line(job.label)
    job.reason = one_line(job.reason)
    return job


def is_finished(job: Job) -> bool:
    """Whether the record of a job that was begun says so, although the job itself could not."""
    try:
        return bool(job.path) and RunDirectory(job.path).state() == "finished"
    except (RecordError, OSError):
        return False


def look_again(job: Job) -> None:
    """Reads what became of a run that was left to another process, such as the same sweep typed on another machine."""
    try:
        record = RunDirectory(job.path)
        state, error = record.state(), (record.status() or {}).get("error")
    except (RecordError, OSError) as damage:
        state, error = "failed", str(damage)
    if state == "finished":
        job.state, job.status, job.reason = state, 0, ""
    elif state == "running":
        job.status = ELSEWHERE
    else:
        job.state, job.status = state or "interrupted", FAILED
        job.reason = error or "the other process that worked on it ended before it was finished"
