"""Evaluation of one run after another, and a table of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from cifar100.base.errors import EvaluationFailed
from cifar100.base.text import aligned, one_line
from cifar100.evaluation.evaluate import check_options, evaluate_run
from cifar100.record import find_runs

log = logging.getLogger(__name__)
_HEADER = ("run", "checkpoint", "epoch", "top-1", "top-5", "loss", "ECE", "parameters", "multiply-adds", "latency")


def evaluate_runs(
    run_dir: str | Path | Iterable[str | Path],
    *,
    split: str = "test",
    compare: str | Path | None = None,
    **options: Any,
) -> dict[str, dict[str, Any]]:
    """Evaluates every run that `run_dir` names: a run directory, a folder of runs, a glob or several of these.

    Takes the options of `evaluate_run`; with `compare`, each is compared with that run. A run that cannot be evaluated
    does not stop the others. The last lines logged are a table with a line for each run.

    Returns:
        The results of each run, by the path of its directory.

    Raises:
        ValueError, OSError: for bad arguments, and where a single run cannot be evaluated.
        EvaluationFailed: where some of several could not, after the table, with each one's reason.
    """
    PartialState(cpu=not torch.cuda.is_available())
    check_options(split=split, **options)  # once, not for every run
    runs = find_runs(run_dir)
    compared = [] if compare is None else [run.path.resolve() for run in find_runs(compare)]
    results: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for number, run in enumerate(runs, start=1):
        if len(runs) > 1:
            log.info("run %d of %d", number, len(runs))
        try:
            itself = len(runs) > 1 and run.path.resolve() in compared  # of several, it is just not compared
            other = None if itself else compare
            results[str(run.path)] = evaluate_run(run.path, split=split, compare=other, **options)
        except (ValueError, OSError) as error:
            if len(runs) == 1:
                raise
            log.error("%s", error)
            failed[str(run.path)] = one_line(error)
    log.info("%s", results_table(results, split, failed))
    if failed:
        reasons = "; ".join(f"{Path(path).name}: {reason}" for path, reason in failed.items())
        raise EvaluationFailed(f"{len(failed)} of {len(runs)} runs could not be evaluated: {reasons}")
    return results


def results_table(results: Mapping[str, Mapping[str, Any]], split: str, failed: Sequence[str] | Mapping = ()) -> str:
    """One line a run: accuracies in percent, loss in nats, multiply-adds in millions, latency of one image in ms."""
    rows = [_HEADER, *(_row(Path(path).name, each, split) for path, each in results.items())]
    rows += [(Path(path).name, "failed", *[""] * (len(_HEADER) - 2)) for path in failed]
    lines = aligned(rows, left=(0, 1))
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(name: str, result: Mapping[str, Any], split: str) -> tuple[str, ...]:
    latency = result.get("latency_s")
    return (
        name,
        str(result["checkpoint"]),
        "-" if result["epoch"] is None else str(result["epoch"]),
        f"{result[f'{split}/top1']:.2%}",
        f"{result[f'{split}/top5']:.2%}",
        f"{result[f'{split}/loss']:.4f}",
        f"{result[f'{split}/ece']:.4f}",
        f"{result['parameters']:,}",
        f"{result['macs'] / 1e6:.1f} M",
        "-" if latency is None else f"{latency * 1e3:.2f} ms",
    )
