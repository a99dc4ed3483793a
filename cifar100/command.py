"""How the commands meet the user: one line for each mistake, an exit status that scripts can read.

Exit status: 0 done, 1 a run failed, 2 the command cannot be carried out as typed, 3 no run of a sweep failed but other
processes still work on some, 130 or 143 interrupted by SIGINT or SIGTERM. A traceback is a bug of this program.
"""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cifar100 import sweep
from cifar100.base.errors import (
    ELSEWHERE,
    FAILED,
    OutOfMemoryError,
    ProcessDied,
    RunLocked,
    SweepStopped,
    UserError,
)
from cifar100.base.text import joined, visible
from cifar100.config import (
    CONF,
    compose_quickly,
    is_sweep,
    named_folders,
    register_resolvers,
    trusting,
    typed_folders,
)
from cifar100.habits import check_habits, parted
from cifar100.help import groups
from cifar100.interruption import terminable
from cifar100.logs import is_main, open_output
from cifar100.mistakes import check_choices, closing_words, explain, user_error

log = logging.getLogger(__name__)
TRACEBACKS = "CIFAR100_TRACEBACKS"
failures: list[tuple[str, int, str]] = []
_typed_in = 0  # the process
_job_begun = False
# On import, which comes before a job that another process was asked for is composed here.
compose_quickly()
register_resolvers(groups=groups, processes=sweep.processes)  # for hydra.help.template and hydra.launcher


def run(main: Callable[[], Any], arguments: Sequence[str] | None = None) -> None:
    """Runs a ``hydra.main`` function and ends the process with an exit status of the module's list. The last lines of a
    sweep are a table of its jobs, however it ends."""
    global _job_begun, _typed_in
    _typed_in, _job_begun = os.getpid(), False
    if arguments is None:
        arguments = sys.argv[1:]
        sys.argv[1:] = [each for part in parted(arguments) for each in part]
    open_output()
    failures.clear()
    message, status = _outcome(main, arguments)
    if failures:
        message = "\n".join(filter(None, (closing_words(failures), message)))
        failed = [each for _, each, _ in failures if each != ELSEWHERE]
        status = status or (FAILED if len(failed) > 1 else (failed or [ELSEWHERE])[0])
    if status:
        _end(message, status)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # else the interpreter reports it at exit, and ends a finished run by status 120
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def _outcome(main: Callable[[], Any], arguments: Sequence[str]) -> tuple[str, int]:
    """The last line and the exit status of a command, once it is carried out, but for the failures of its jobs."""
    before = os.environ.get("HYDRA_FULL_ERROR", "")
    # Hydra would print and exit by itself; worker processes are to know what the user wants.
    os.environ |= {"HYDRA_FULL_ERROR": "1", TRACEBACKS: before}
    message, status = "", 0
    try:
        with terminable():
            check_habits(arguments)
            folders = [CONF, *typed_folders(arguments)]
            check_choices(arguments, folders)
            if is_sweep(arguments, folders):
                sys.argv.append("hydra.mode=MULTIRUN")
            main()
    except KeyboardInterrupt as error:
        signum = getattr(error, "signum", signal.SIGINT)
        message, status = str(error) or f"interrupted by {signum.name}; the same command continues", 128 + signum
    except Exception as error:
        known = user_error(error) or _outside_of_jobs(error)
        if known is None:
            raise
        if _wants_tracebacks():
            traceback.print_exception(error)
        message, status = explain(known), known.exit_status
    finally:
        os.environ["HYDRA_FULL_ERROR"] = before
        _leave_the_other_processes()
        failures.extend(sweep.close(ended=not status and sys.exception() is None))
    return message, status


def job(task: Callable[[DictConfig], dict[str, Any] | None], config: DictConfig) -> float | None:
    """Carries out one job of a command, in the process that was typed or in another. A failure that its message
    explains is noted, so that hydra goes on with the sweep's other jobs, and ends the command with a non-zero status.
    So is a bug of this program in a sweep, after its traceback; else it goes through.

    Args:
        task: returns nothing, or the state that it reached and other fields of :class:`~cifar100.sweep.Job`.

    Returns:
        The objective of a search for hyper-parameters; None where the task failed or has none.
    """
    global _job_begun
    _job_begun = True
    hydra = HydraConfig.get()
    this = sweep.Job(
        num=OmegaConf.select(hydra, "job.num") if hydra.mode == RunMode.MULTIRUN else 0,
        overrides=OmegaConf.to_container(hydra.overrides.task, resolve=False),
        label=OmegaConf.select(config, "label", throw_on_resolution_failure=False),
        path=hydra.runtime.output_dir,
        worker=sweep.in_worker(),
    )
    sweep.begin(this)
    try:
        if fault := sweep.fault(this.overrides):
            this.path = ""
            raise fault
        with trusting(named_folders(hydra)), terminable() if sweep.elsewhere() else nullcontext():
            result = task(config) or {}
    except KeyboardInterrupt:
        sweep.end(this, "interrupted")
        raise
    except Exception as error:
        _note_failure(error, this, swept=hydra.mode == RunMode.MULTIRUN)
        return None
    sweep.end(this, **{"state": "finished"} | result)
    return this.objective


def _note_failure(error: Exception, failed: sweep.Job, *, swept: bool) -> None:
    """Raises the error again where nobody else would tell of it."""
    known = user_error(error)
    if not (known or swept):
        raise error
    if known and _wants_tracebacks():
        traceback.print_exception(error)
    status = known.exit_status if known else FAILED
    reason = explain(known) if known else f"{type(error).__name__}: {explain(error)}"
    name = " ".join(failed.overrides) if swept else ""
    locked = isinstance(error, RunLocked)
    if swept and locked:
        log.info("left to another process: %s: %s", name, reason)
    elif swept:
        log.error("failed: %s: %s", name, reason, exc_info=None if known else error)
    if not sweep.end(failed, "running" if locked else "failed", reason=reason, status=status):
        if _typed_in != os.getpid():
            raise error  # nobody reads the list of a process that a launcher started
        failures.append((name, status, reason))
    met_alone = known is None or isinstance(known, OutOfMemoryError | ProcessDied)
    if met_alone and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        log.error("%s", reason)
        raise SystemExit(FAILED) from error  # the other processes are not where the next job would meet them


def _wants_tracebacks() -> bool:
    """Whether the user set HYDRA_FULL_ERROR=1, to see where in the program a mistake was met."""
    return os.environ.get(TRACEBACKS) == "1"


def _outside_of_jobs(error: Exception) -> UserError | None:
    """An error that no job raised: a sweep notes those of its jobs, so this one is its launcher's or sweeper's; before
    any job has begun, hydra composes what was typed."""
    if sweep.leads():
        log.debug("the sweep stopped", exc_info=error)
        return SweepStopped(error)
    return UserError(joined(str(error))) if isinstance(error, ValueError) and not _job_begun else None


def _leave_the_other_processes() -> None:
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _end(message: str, status: int) -> None:
    """Ends the process. Of several, which all end so, the first tells why."""
    if is_main():
        with suppress(OSError, ValueError):
            print(visible(message), file=sys.stderr, flush=True)
    logging.shutdown()
    sys.exit(status)
