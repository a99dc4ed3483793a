"""Evaluation of one run after another, and a table of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from cifar100.base.errors import EvaluationFailed
from cifar100.base.text import aligned, one_line
from cifar100.base.values import check_flag
from cifar100.evaluation.ensemble import evaluate_ensemble, rows_of_seeds
from cifar100.evaluation.evaluate import CHECKPOINTS, check_options, evaluate_run
from cifar100.record import RecordError, RunDirectory, find_runs
from cifar100.record.fields import FIELDS, MACS, METRICS, PARAMETERS

log = logging.getLogger(__name__)
_SHOWN = (*METRICS, PARAMETERS, MACS, FIELDS["latency_s"])


def evaluate_runs(
    run_dir: str | Path | Iterable[str | Path],
    *,
    split: str = "test",
    compare: str | Path | None = None,
    ensemble: bool = False,
    **options: Any,
) -> dict[str, dict[str, Any]]:
    """Evaluates every run that `run_dir` names: a run directory, a folder of runs, a glob or several of these.

    Takes the options of `evaluate_run`; with `compare`, each is compared with that run; with `ensemble`, the runs of a
    row, which differ in nothing but the seed, also answer together. A run that cannot be evaluated does not stop the
    others. The last lines logged are a table with a line for each run, and for each ensemble.

    Returns:
        The results of each run, by the path of its directory, and of each ensemble, by the path of its folder.

    Raises:
        ValueError, OSError: for bad arguments, and where a single run cannot be evaluated.
        EvaluationFailed: where some of several could not, after the table, with each one's reason.
    """
    PartialState(cpu=not torch.accelerator.is_available())
    check_options(split=split, compare=compare, **options)  # once, not for every run
    check_flag("ensemble", ensemble)
    runs = _trained(find_runs(run_dir))
    rows = rows_of_seeds(runs) if ensemble else []
    compared = [] if compare is None else [run.path.resolve() for run in find_runs(compare)]

    def evaluate(run: RunDirectory) -> dict[str, Any]:
        itself = len(runs) > 1 and run.path.resolve() in compared  # of several, it is just not compared
        return evaluate_run(run.path, split=split, compare=None if itself else compare, **options)

    results, failed = each_run(runs, evaluate)
    for row in rows:
        if not any(str(run.path) in failed for run in row):
            folder, result = evaluate_ensemble(row, split, options.get("tta"))
            results[str(folder)] = result
    log.info("%s", results_table(results, split, failed))
    check_none_failed(runs, failed)
    return results


def each_run(
    runs: Sequence[RunDirectory], work: Callable[[RunDirectory], dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The results of `work`, and the reasons why it failed, by the path of each run. Where some of several fail, the
    others go on; what a single one raises goes through."""
    results, failed = {}, {}
    for number, run in enumerate(runs, start=1):
        if len(runs) > 1:
            log.info("run %d of %d", number, len(runs))
        try:
            results[str(run.path)] = work(run)
        except (ValueError, OSError) as error:
            if len(runs) == 1:
                raise
            log.error("%s", error)
            failed[str(run.path)] = one_line(error)
    return results, failed


def check_none_failed(runs: Sequence[RunDirectory], failed: Mapping[str, str]) -> None:
    """Raises EvaluationFailed with each one's reason where some of several runs failed."""
    if failed:
        reasons = "; ".join(f"{Path(path).name}: {reason}" for path, reason in failed.items())
        raise EvaluationFailed(f"{len(failed)} of {len(runs)} runs could not be evaluated: {reasons}")


def _trained(runs: Sequence[RunDirectory]) -> Sequence[RunDirectory]:
    """Those of several that are no failed starts: a mistyped option leaves a record of why, and nothing to evaluate."""
    kept = []
    for run in runs:
        with suppress(RecordError):  # its evaluation tells
            status = run.status() or {}
            if status.get("state") == "failed" and not any(map(run.has_checkpoint, CHECKPOINTS)):
                log.info("left out: %s failed before its first epoch: %s", run.path, one_line(status.get("error")))
                continue
        kept.append(run)
    return kept or runs


def results_table(results: Mapping[str, Mapping[str, Any]], split: str, failed: Iterable[str] = ()) -> str:
    """One line a run, its numbers under their names in metrics.json; those that no run has are left out."""
    shown = [field for field in _SHOWN if any(field.key(split) in each for each in results.values())]
    rows = [("run", "checkpoint", "epoch", *(field.name for field in shown))]
    for path, each in results.items():
        epoch = "-" if each["epoch"] is None else str(each["epoch"])
        numbers = (field.text(field.read(each, split), unit=True) for field in shown)
        rows.append((Path(path).name, str(each["checkpoint"]), epoch, *numbers))
    rows += [(Path(path).name, "failed", *[""] * (len(shown) + 1)) for path in failed]
    lines = aligned(rows, left=(0, 1))
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
