"""The runs of a row, which differ in nothing but the seed, as one classifier, recorded beside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from cifar100.base.conf import RECIPE, SINCE, effective
from cifar100.base.errors import RecordError, UserError
from cifar100.base.files import atomic_write
from cifar100.base.trees import fixed_text
from cifar100.evaluation.accuracy import accuracy
from cifar100.evaluation.evaluation_folder import evaluation_folder
from cifar100.evaluation.predict import Predictions, mean_probabilities
from cifar100.record import RunDirectory
from cifar100.record.plain import format_json

FOLDER = "ensembles"


def rows_of_seeds(runs: Iterable[RunDirectory]) -> list[list[RunDirectory]]:
    """The runs of one study that differ only in their seed, at least two a row, each seed once, by seed.

    Raises:
        UserError: there are none.
    """
    rows: dict[str, dict[Any, RunDirectory]] = {}
    for run in runs:
        try:
            config = run.config()
        except RecordError:
            continue  # its evaluation tells
        recipe = effective({key: config[key] for key in (*RECIPE, *SINCE) if key in config and key != "seed"})
        rows.setdefault(f"{run.path.parent} {fixed_text(recipe)}", {}).setdefault(config.get("seed"), run)
    found = [[row[seed] for seed in sorted(row, key=str)] for row in rows.values() if len(row) > 1]
    if not found:
        raise UserError("ensemble=true needs runs that differ only in the seed; name a study that has several seeds")
    return found


def evaluate_ensemble(runs: Sequence[RunDirectory], split: str, tta: str | None = None) -> tuple[Path, dict[str, Any]]:
    """Means of the probabilities of runs that have just been evaluated on ``split``.

    Returns:
        The folder, ``<study>/ensembles/<name>``, in which metrics.json is written (by the main process, below a folder
        for another split or test-time augmentation, as a run's evaluation is), and what it holds.

    Raises:
        RecordError: predictions that are missing or damaged.
        UserError: the runs were evaluated on different images.
    """
    below = evaluation_folder(split, tta)
    found = [run.read_tensors(f"{below}predictions.safetensors")[0] for run in runs]
    singles = [run.read_json(f"{below}metrics.json") or {} for run in runs]
    labels = found[0]["labels"]
    if any(not torch.equal(each["labels"], labels) for each in found):
        raise UserError(f"{runs[0].path} and the others of its row were not evaluated on the same images")
    predictions = Predictions(mean_probabilities([each["logits"].double() for each in found]), labels)
    results = accuracy(predictions, split) | {
        "members": [run.name for run in runs],
        f"members_{split}/top1": [each.get(f"{split}/top1") for each in singles],
        "checkpoint": f"{len(runs)} seeds",
        "epoch": None,
        "tta": tta,
        **{key: sum(each.get(key, 0) for each in singles) for key in ("parameters", "macs")},
        **{key: singles[0].get(key) for key in ("precision", "data", "data_fingerprint")},
    }
    folder = runs[0].path.parent / FOLDER / _name(runs)
    if PartialState().is_main_process:
        path = folder / below / "metrics.json"
        atomic_write(path, format_json(results, path))
    return folder, results


def _name(runs: Sequence[RunDirectory]) -> str:
    """``resnet20-eca-e150-3seeds-0a1b2c3d``: what the members' names share, and eight digits of which they are."""
    shared = re.sub(r"-seed\d+-[0-9a-f]{8}$", "", runs[0].name)
    digest = hashlib.sha256("\n".join(run.name for run in runs).encode()).hexdigest()[:8]
    return f"{shared}-{len(runs)}seeds-{digest}"
