"""A sweep from its first job to its closing table, as a callback of hydra.

Launchers run jobs in other processes, on other machines, and hand nothing back to the command that was typed. So that
command makes a folder `.sweep-<8 digits>` in the study, in which each job leaves a file that the command's end, however
it comes, reads. Hydra sends its callbacks along with every job, this one with the folder's name.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback

from cifar100.base.errors import FAILED
from cifar100.base.files import is_alive, remove_empty
from cifar100.record.lock import hold, is_held
from cifar100.sweep.job import Job, is_finished, look_again, read_jobs
from cifar100.sweep.plan import ask_no_accounts, compose_apart
from cifar100.sweep.plan import planned as planned_jobs
from cifar100.sweep.table import closing_table, names
from cifar100.sweep.trials import earlier_trials
from cifar100.sweep.worker import settle
from cifar100.sweep.workers import end_idle, fail_alone

if TYPE_CHECKING:
    from omegaconf import DictConfig

GRACE_S = 30.0
UNHEARD = "nothing was heard of it: its process ended, or what it noted could not be written"
_current: Sweep | None = None
_lock = ExitStack()
_job: Job | None = None  # under way in this process
_interrupted = False


class Sweep(Callback):
    """The sweep that this process has typed or works for."""

    def __init__(self) -> None:
        self.folder = self.place = self.root = self.cwd = Path()
        self.plan: list[list[str]] = []
        self.here: dict[int, Job] = {}  # what this process has carried out itself, whatever became of the folder
        self.earlier: list[Job] = []
        self.leader = ("", 0)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        global _current
        if os.environ.get("RANK", "0") != "0":  # of several processes that run the same sweep, the first tells
            return
        self.root, self.place = Path(config.root).absolute(), Path(config.hydra.sweep.dir).absolute()
        self.cwd, self.leader = Path.cwd(), (socket.gethostname(), os.getpid())
        for left in self.place.glob(".sweep-*"):
            if not is_held(left / ".lock"):  # its sweep was killed
                shutil.rmtree(left, ignore_errors=True)
        self.folder = self.place / f".sweep-{secrets.token_hex(4)}"
        with suppress(OSError, ValueError):  # a place that cannot be written is refused where the first run needs it
            self.folder.mkdir(parents=True)
            _lock.enter_context(hold(self.folder / ".lock"))
            _current = self
        self.plan = planned_jobs(config)
        compose_apart(config, self.folder)
        ask_no_accounts(config)
        if config.hydra.launcher._target_.endswith(".JoblibLauncher"):
            fail_alone(lost, stop_workers)
        if config.hydra.sweeper._target_.endswith(".Search"):
            self.earlier = earlier_trials(self.place)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        global _current
        _current = self if self.folder.name else None
        settle(self.folder)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Where a job arrives: paths that are relative mean the folder in which the sweep was typed."""
        self.__dict__ |= state
        if self.cwd.is_dir():
            os.chdir(self.cwd)

    def leads(self) -> bool:
        return self.leader == (socket.gethostname(), os.getpid())

    def jobs(self) -> list[Job]:
        """All jobs, those that have not begun too, as far as the sweeper's plan is known."""
        planned = {num: Job(num, overrides) for num, overrides in enumerate(self.plan)}
        jobs = planned | read_jobs(self.folder) | self.here
        return self.earlier + [jobs[num] for num in sorted(jobs)]


def leads() -> bool:
    """Whether this process was asked for a sweep, which is not closed yet."""
    return _current is not None and _current.leads()


def elsewhere() -> bool:
    """Whether this process runs a sweep's job that another process was asked for."""
    return _current is not None and not _current.leads()


def prefix() -> str:
    """The mark of this job's lines, among those of others on the same terminal."""
    return f"#{_job.num} " if _job is not None and elsewhere() else ""


def begin(job: Job) -> None:
    """Notes that the job has begun here. Raises KeyboardInterrupt in a process whose last job was interrupted, for
    which more jobs may be waiting."""
    global _job
    if _interrupted:
        raise KeyboardInterrupt
    _job = job
    job.state, job.pid, job.host = "begun", os.getpid(), socket.gethostname()
    if _current is not None:
        _note(job)


def end(job: Job, state: str, **fields: Any) -> bool:
    """Notes how the job ended; False where nobody will read it."""
    global _interrupted, _job
    _job = None
    _interrupted = state == "interrupted" and elsewhere()
    job.state = state
    for name, value in fields.items():
        setattr(job, name, value)
    if _current is not None:
        _note(job)
    return _current is not None


def lost(num: int, overrides: list[str], reason: str) -> None:
    """Notes that the process of a job has ended before the job could tell how it went."""
    job = read_jobs(_current.folder).get(num) or Job(num, overrides)
    if job.state in ("not begun", "begun") and not is_finished(job):
        job.state, job.status, job.reason = "failed", FAILED, reason
        _note(job)


def _note(job: Job) -> None:
    if _current.leads():
        _current.here[job.num] = job
    job.write(_current.folder)


def close(*, ended: bool = True) -> list[tuple[str, int, str]]:
    """Ends the sweep that this process has typed, if any: prints its table and leaves no trace but the runs.

    Args:
        ended: whether the sweep came to its end, so that a job of which nothing was heard has failed.

    Returns:
        Each failed job's name, exit status and reason.
    """
    global _current
    sweep, _current = _current, None
    if sweep is None or not sweep.leads():
        return []
    jobs = sweep.jobs()
    for job in jobs if ended else ():
        if job.state in ("not begun", "begun") and not is_finished(job):
            job.state, job.status, job.reason = "failed", FAILED, UNHEARD
    for job in jobs:
        if job.state == "running":
            look_again(job)
    with suppress(OSError, ValueError):
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(closing_table(jobs, width), flush=True)
    end_idle()
    _lock.close()
    shutil.rmtree(sweep.folder, ignore_errors=True)
    with suppress(OSError):
        (sweep.place / "multirun.yaml").unlink(missing_ok=True)  # hydra's; it names paths of this machine
        remove_empty(sweep.place, sweep.root)
    return [(name, job.status, job.reason) for name, job in zip(names(jobs), jobs, strict=True) if job.status]


def stop_workers() -> None:
    """Asks the jobs in worker processes of this machine to end as SIGTERM does, and waits for them. Their launcher
    would kill them."""
    if not leads():
        return
    asked, deadline = set(), time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        running = [job for job in read_jobs(_current.folder).values() if job.state == "begun" and job.worker]
        running = [job for job in running if job.here() and job.pid != os.getpid() and is_alive(job.pid)]
        if not running:
            return
        for pid in {job.pid for job in running} - asked:
            asked.add(pid)
            with suppress(OSError):  # it has ended, and its number may be another user's by now
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.1)
