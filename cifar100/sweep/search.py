"""A search for hyper-parameters: Optuna proposes trials, each is a run of a launcher, and the hopeless ones end early.

The trials are kept in the study's folder, so that a search that was stopped goes on where it was. The runs themselves
report their epochs to that file, from whatever process they are in.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cifar100.base.errors import Pruned, RunFailed, UserError
from cifar100.base.files import atomic_write
from cifar100.base.values import check_whole
from cifar100.record.lock import is_held
from cifar100.sweep.job import Job

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)
STORAGE = "trials.journal"
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
            jobs = [[*_overrides(trial), *fixed] for trial in trials]
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


def open_study(place: Path, **options: Any) -> Any:
    """The optuna.Study whose trials are in a folder, a new one where there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(place / STORAGE)))
    return optuna.create_study(
        study_name="search", storage=storage, direction="maximize", load_if_exists=True, **options
    )


def earlier_trials(place: Path) -> list[Job]:
    """The trials that a folder holds and that will not be made again."""
    if not (place / STORAGE).is_file() or find_spec("optuna") is None:
        return []
    return [_job(trial) for trial in open_study(place).trials if trial.state.is_finished()]


def judge(place: Path, number: int, pruner: Any) -> Callable[[dict[str, Any]], None]:
    """A function that takes the row of each epoch of a trial's run and raises Pruned once it is hopeless.

    Args:
        place: the study's folder.
        number: of the trial.
        pruner: Optuna's; None gives up none.
    """
    from optuna.trial import Trial

    study = open_study(place, pruner=pruner)
    trial = Trial(study, study.trials[number]._trial_id)  # there is no public way to one of another process

    def report(row: dict[str, Any]) -> None:
        if "val/top1" not in row:
            return
        trial.report(row["val/top1"], row["epoch"])
        if pruner is not None and trial.should_prune():
            trial.set_user_attr("pruned", True)
            raise Pruned(row["epoch"])

    return report


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


def _overrides(trial: Any) -> list[str]:
    return [f"{name}={value}" for name, value in trial.params.items()]


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


def _job(trial: FrozenTrial) -> Job:
    from optuna.trial import TrialState

    state = {TrialState.COMPLETE: "skipped", TrialState.PRUNED: "pruned"}.get(trial.state, "failed")
    reason = "in an earlier session" if state == "failed" else ""
    overrides = [*_overrides(trial), *trial.user_attrs.get("fixed", ())]
    return Job(trial.number, overrides, state=state, objective=trial.value, reason=reason)


def _write(study: Any, place: Path) -> None:
    """Writes the best trial and the figures."""
    from optuna.trial import TrialState

    if not study.get_trials(states=[TrialState.COMPLETE]):
        raise RunFailed("no trial has finished; their runs say why")
    best = study.best_trial
    results = {"name": "optuna", "best_params": dict(best.params), "best_value": best.value, "trial": best.number}
    atomic_write(place / RESULTS, yaml.safe_dump(results, sort_keys=False).encode())
    log.info("best: %s at %.2f%%; %s", " ".join(_overrides(best)), 100 * best.value, place / RESULTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its figures experimental
        _draw(study, place / "search")


def _draw(study: Any, folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter
    from optuna.visualization import matplotlib as figures

    folder.mkdir(exist_ok=True)
    kinds = {
        "history": figures.plot_optimization_history,
        "importance": figures.plot_param_importances,
        "slices": figures.plot_slice,
        "epochs": figures.plot_intermediate_values,
    }
    for name, draw in kinds.items():
        try:
            axes = draw(study)
        except (ValueError, RuntimeError) as error:
            log.info("no figure of %s: %s", name, error)  # such as the importance of a single trial's parameters
            continue
        panels = np.ravel(axes)
        if name == "slices":  # as Optuna leaves them, the labels of neighbours overlap
            panels[0].figure.set_size_inches(4 * len(panels), 5)
            for panel in panels:
                panel.tick_params(axis="x", labelrotation=30)
                panel.xaxis.set_minor_formatter(NullFormatter())
        panels[0].figure.savefig(folder / f"{name}.png", dpi=150, bbox_inches="tight")
        pyplot.close("all")
