"""A search for hyper-parameters: Optuna proposes trials, each is a run, and hopeless ones end early."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cifar100.base.errors import RunFailed, UserError
from cifar100.base.files import atomic_write
from cifar100.base.values import check_whole
from cifar100.record.lock import is_held
from cifar100.sweep.search_figures import draw_search
from cifar100.sweep.trials import open_study, overrides_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)
RESULTS = "optimization_results.yaml"


def check_possible() -> None:
    """Raises UserError where Optuna is missing, or each of several processes would make trials of its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("a search cannot serve a run of several processes; use hydra/launcher=processes")
    if find_spec("optuna") is None:
        raise UserError("a search needs Optuna; pip install 'cifar100-lab[hpo]'")


def search(
    launcher: Any,
    place: str | Path,
    space: Mapping[str, BaseDistribution],
    fixed: Sequence[str],
    *,
    n_trials: int,
    n_jobs: int,
    sampler: Callable[..., Any],
    seed: int,
    pruner: Any,
) -> None:
    """Makes up what is missing of ``n_trials`` trials, those first that were cut off, and writes what was found into
    ``place``: RESULTS with the best trial, and figures in search/.

    Args:
        launcher: of Hydra; what it returns for a trial is to be as high as possible, None for a failed run. The number
            of a job is that of its trial.
        place: the study's folder.
        space: what is searched; fixed: the overrides that all trials have. See :func:`search_space`.
        n_trials: in all sessions; trials that were given up or failed count.
        n_jobs: trials asked for at once.
        sampler: Optuna's, called with a seed.
        seed: of the first session; later ones continue from another.
        pruner: Optuna's, which judges runs while they go on; None lets all run to the end.

    Raises:
        UserError: another search space than that of the study's earlier trials.
        RunFailed: no trial has finished.
    """
    for name, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
        check_whole(f"hydra.sweeper.{name}", value)
    place = Path(place)
    before = open_study(place).trials
    study = open_study(place, sampler=sampler(seed=seed + len(before)), pruner=pruner)
    waiting = _cut_off(study, space, alone=_is_alone(place))
    left = n_trials - sum(trial.state.is_finished() for trial in study.trials)
    while left > 0:
        batch = [waiting.pop(0) if waiting else _asked(study, space, fixed) for _ in range(min(n_jobs, left))]
        for trials in _consecutive(batch):
            jobs = [[*overrides_of(trial), *fixed] for trial in trials]
            for trial, job in zip(trials, launcher.launch(jobs, initial_job_idx=trials[0].number), strict=True):
                _tell(study, trial.number, job)
        left -= len(batch)
    _write(study, place)


def search_space(arguments: Sequence[str], config_loader: Any = None) -> tuple[dict[str, BaseDistribution], list[str]]:
    """The distributions that are searched, by name, and the overrides that all trials have.

    Args:
        arguments: overrides in Hydra's grammar. What it would sweep is searched, an ``interval`` continuously, a
            ``range`` of whole numbers by their order; of two for one option the last counts.
        config_loader: of Hydra, by which ``glob(*)`` finds choices.

    Raises:
        UserError: nothing is searched.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create(config_loader=config_loader).parse_overrides(list(arguments))
    parsed = list({each.get_key_element(): each for each in parsed}.values())  # what is typed last wins
    space = {each.get_key_element(): _distribution(each) for each in parsed if each.is_sweep_override()}
    if not space:
        raise UserError("nothing is searched; add to hydra.sweeper.params, or type 'optimizer.lr=interval(0.01,1)'")
    return space, [each.input_line for each in parsed if not each.is_sweep_override()]


def _distribution(override: Any) -> BaseDistribution:
    from hydra.core.override_parser.types import Transformer
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value = override.value()
    if override.is_interval_sweep():
        return FloatDistribution(value.start, value.end, log="log" in value.tags)
    choices = list(override.sweep_iterator(transformer=Transformer.encode))
    if override.is_range_sweep() and all(isinstance(each, int) for each in choices):
        return IntDistribution(min(choices), max(choices), step=abs(value.step))
    return CategoricalDistribution(choices)


def _is_alone(place: Path) -> bool:
    """Whether no other sweep works on the study, whose trials under way would be taken for cut off."""
    return sum(is_held(lock) for lock in place.glob(".sweep-*/.lock")) <= 1


def _cut_off(study: Any, space: Mapping[str, BaseDistribution], *, alone: bool) -> list[FrozenTrial]:
    """The trials of an earlier session that never ended. Those of another search space count as failed."""
    from optuna.trial import TrialState

    found = study.get_trials(states=[TrialState.RUNNING]) if alone else []
    for trial in found:
        if trial.distributions != space:
            study.tell(trial.number, state=TrialState.FAIL)
    return [trial for trial in found if trial.distributions == space]


def _asked(study: Any, space: Mapping[str, BaseDistribution], fixed: Sequence[str]) -> Any:
    try:
        trial = study.ask(dict(space))
    except ValueError as error:
        raise UserError(f"the study's earlier trials had other choices ({error}); name another study=") from None
    trial.set_user_attr("fixed", list(fixed))
    return trial


def _consecutive(trials: Sequence[Any]) -> list[list[Any]]:
    """The trials in groups whose numbers follow each other: another machine may have asked in between."""
    groups: list[list[Any]] = []
    for trial in trials:
        if groups and trial.number == groups[-1][-1].number + 1:
            groups[-1].append(trial)
        else:
            groups.append([trial])
    return groups


def _tell(study: Any, number: int, job: Any) -> None:
    from optuna.trial import TrialState

    try:
        value = job.return_value
    except Exception as error:
        log.debug("trial %d failed", number, exc_info=error)
        value = None
    if study.trials[number].user_attrs.get("pruned"):
        study.tell(number, state=TrialState.PRUNED)
    elif value is None:
        study.tell(number, state=TrialState.FAIL)
    else:
        study.tell(number, value)


def _write(study: Any, place: Path) -> None:
    """Writes the best trial and the figures."""
    from optuna.trial import TrialState

    if not study.get_trials(states=[TrialState.COMPLETE]):
        raise RunFailed("no trial has finished; their runs say why")
    best = study.best_trial
    results = {"name": "optuna", "best_params": dict(best.params), "best_value": best.value, "trial": best.number}
    atomic_write(place / RESULTS, yaml.safe_dump(results, sort_keys=False).encode())
    log.info("best: %s at %.2f%%; %s", " ".join(overrides_of(best)), 100 * best.value, place / RESULTS)
    draw_search(study, place / "search")
