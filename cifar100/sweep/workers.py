"""Worker processes of which each fails alone, for hydra's launcher by joblib."""

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from cifar100.sweep.worker import cores

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_idle: list[Any] = []  # pools, for the next jobs: their processes have imported torch


class Workers:
    """Called as joblib's ``Parallel``, whose processes all end, killed, with any one that the kernel kills. Here each
    is a pool of its own; the job of one that is killed is lost, and the others go on.

    Args:
        n_jobs: processes, as joblib counts them: -1 is one for each core.
        cores: that the processes share as threads, where the environment does not say otherwise.
        lost: called as (number, overrides, reason) with a job whose process was killed.
        stop: called before processes whose jobs are under way are killed, since the sweep ends.
    """

    def __init__(self, n_jobs: int, cores: int, lost: Callable[[int, list[str], str], None], stop: Callable[[], None]):
        from joblib import effective_n_jobs

        self.count, self.lost, self.stop = effective_n_jobs(n_jobs), lost, stop
        self.threads = {name: os.environ.get(name, str(max(1, cores // self.count))) for name in THREADS}

    def __call__(self, tasks: Iterable[tuple[Callable, tuple, dict]]) -> list[JobReturn]:
        """The returns of the tasks, made by joblib's ``delayed``; of a lost one a job that completed with nothing."""
        from joblib.externals.loky import BrokenProcessPool

        tasks, waiting = list(tasks), {}
        results = [JobReturn(status=JobStatus.COMPLETED) for _ in tasks]

        def collect() -> None:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                index, pool = waiting.pop(future)
                try:
                    results[index] = future.result()
                    _idle.append(pool)
                except BrokenProcessPool as error:
                    number, overrides, *_ = tasks[index][1]
                    self.lost(number, list(overrides), _reason(error))

        try:
            for index, task in enumerate(tasks):
                if len(waiting) == self.count:
                    collect()
                future, pool = self._submit(*task)
                waiting[future] = index, pool
            while waiting:
                collect()
        except BaseException:
            self.stop()
            for _, pool in waiting.values():
                pool.shutdown(kill_workers=True)
            raise
        return results

    def _submit(self, function: Callable, arguments: tuple, options: dict) -> tuple[Future, Any]:
        from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

        while True:
            pool = _idle.pop() if _idle else ProcessPoolExecutor(1, env=self.threads)
            if all(process.is_alive() for process in pool._processes.values()):  # not killed while it had nothing to do
                with suppress(BrokenProcessPool):
                    return pool.submit(function, *arguments, **options), pool


def fail_alone(lost: Callable[[int, list[str], str], None], stop: Callable[[], None]) -> None:
    """Lets hydra's launcher by joblib take :class:`Workers`, which has these arguments."""
    from hydra_plugins.hydra_joblib_launcher import _core

    _core.Parallel = lambda n_jobs, **_: Workers(n_jobs, cores(), lost, stop)


def end_idle() -> None:
    """Ends the processes that wait for more jobs."""
    while _idle:
        _idle.pop().shutdown(wait=False)


def _reason(error: Exception) -> str:
    signal = re.search(r"SIG\w+", str(error))
    how = f"was killed by {signal[0]}" if signal else f"was lost ({str(error).strip().splitlines()[0].rstrip('.')})"
    return f"its process {how}, as the kernel does where memory runs out; the same command continues it"
