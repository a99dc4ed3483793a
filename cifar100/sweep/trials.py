"""A search of hyper-parameters taken up where it stopped, from the storage of its trials."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.record.lock import is_held
from cifar100.sweep.job import Job


def resume(sweeper: DictConfig, place: Path) -> list[Job]:
    """Lets ``hydra.sweeper.n_trials`` mean trials in all, not more of them each time the command is typed: takes from
    it those that the storage holds, puts those that were cut off first in line, so that their runs are continued, and
    moves the sampler's seed on, so that it does not begin with what it has tried.

    Without a storage, or with another sweeper than Optuna's, nothing. Nor beside another sweep of this study, whose
    trials under way are not to be taken for cut off.

    Returns:
        The trials that the storage holds and that will not be made again, numbered below zero.
    """
    if not sweeper._target_.endswith(".OptunaSweeper") or not sweeper.storage:
        return []
    if sum(is_held(lock) for lock in place.glob(".sweep-*/.lock")) > 1:
        return []
    logging.getLogger("alembic").setLevel(logging.WARNING)  # how a storage is set up is nobody's news
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # What is experimental in Optuna 2 is not in 3 and 4.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    states = optuna.trial.TrialState
    study = optuna.create_study(
        study_name=sweeper.study_name, storage=sweeper.storage, directions=_directions(sweeper), load_if_exists=True
    )
    trials = study.trials
    for trial in trials:
        if trial.state == states.RUNNING:
            study.tell(trial.number, state=states.FAIL)
            if trial.params:
                study.enqueue_trial(trial.params)
    waiting = [trial.system_attrs["fixed_params"] for trial in study.get_trials(states=[states.WAITING])]
    done = {_key(trial.params): trial for trial in trials if trial.state == states.FAIL}
    done |= {_key(trial.params): trial for trial in trials if trial.state == states.COMPLETE}
    for params in waiting:
        done.pop(_key(params), None)
    sweeper.n_trials = max(0, sweeper.n_trials - len(done))
    if sweeper.sampler.get("seed") is not None:
        sweeper.sampler.seed += len(trials)
    ordered = sorted(done.values(), key=lambda trial: trial.number)
    return [_job(trial, index - len(done)) for index, trial in enumerate(ordered)]


def _job(trial: Any, num: int) -> Job:
    overrides = [f"{name}={value}" for name, value in (trial.params | trial.user_attrs).items()]
    if trial.values is None:
        return Job(num, overrides, state="failed", reason="in an earlier session")
    return Job(num, overrides, state="skipped", objective=trial.values[0])


def _key(params: dict[str, Any]) -> tuple:
    return tuple(sorted(params.items()))


def _directions(sweeper: DictConfig) -> list[str]:
    listed = sweeper.direction if OmegaConf.is_list(sweeper.direction) else [sweeper.direction]
    return [getattr(each, "name", each) for each in listed]
