"""The trials of a search, kept in the study's folder, so that a search that was stopped goes on where it was. The runs
themselves report their epochs to that file, from whatever process they are in."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import Pruned
from cifar100.sweep.job import Job

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

STORAGE = "trials.journal"


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


def overrides_of(trial: Any) -> list[str]:
    """The overrides that a trial has of its own."""
    return [f"{name}={value}" for name, value in trial.params.items()]


def _job(trial: FrozenTrial) -> Job:
    from optuna.trial import TrialState

    state = {TrialState.COMPLETE: "skipped", TrialState.PRUNED: "pruned"}.get(trial.state, "failed")
    reason = "in an earlier session" if state == "failed" else ""
    overrides = [*overrides_of(trial), *trial.user_attrs.get("fixed", ())]
    return Job(trial.number, overrides, state=state, objective=trial.value, reason=reason)
