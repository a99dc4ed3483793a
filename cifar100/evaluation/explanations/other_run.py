"""The predictions of the run that another is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from cifar100.base.errors import UserError
from cifar100.evaluation.evaluation_folder import evaluation_folder
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.predict import Predictions
from cifar100.record import RecordError, RunDirectory, find_runs


def find_other(compare: str | Path, record: RunDirectory) -> RunDirectory:
    """The run directory that `compare` names. Raises ValueError in one line for none, several, or `record` itself."""
    found = find_runs(compare)
    if len(found) > 1:
        raise UserError(f"compare={compare} names {len(found)} runs; name one, such as {found[0].path}")
    if found[0].path.resolve() == record.path.resolve():
        raise UserError(f"compare={compare} is the evaluated run itself; name another")
    return found[0]


def predictions_of(
    other: RunDirectory,
    run: OpenRun,
    split: str,
    checkpoint: str,
    precision: str | None,
    evaluate: Callable[[], tuple[OpenRun, Predictions]],
) -> Predictions:
    """The other run's predictions on the same images: those it has on record, or new ones, which are not recorded.

    Args:
        other: the run to compare with; read as data of unknown origin.
        run: the evaluated run.
        split: test or val.
        checkpoint: which weights the predictions must be from, best or last.
        precision: the format they must be computed in; None for any.
        evaluate: opens and evaluates the other run.

    Raises:
        ValueError: in one line, where the other was trained or tested on other images.
    """
    predictions = _recorded(other, run, split, checkpoint, precision)
    if predictions is None:
        opened, predictions = evaluate()
        _same_data(other, run, opened.data.fingerprint)
    if not torch.equal(predictions.labels, run.images(split).labels):
        raise UserError(
            f"compare={other.path} was evaluated on other {split} images; evaluate it again, or use split=test"
        )
    return predictions


def _recorded(
    other: RunDirectory, run: OpenRun, split: str, checkpoint: str, precision: str | None
) -> Predictions | None:
    folder = evaluation_folder(split)
    metrics = other.read_json(f"{folder}metrics.json")
    if metrics is None or not other.evaluation_path(f"{folder}predictions.safetensors").is_file():
        return None
    _same_data(other, run, metrics.get("data_fingerprint"))
    tensors, state = other.read_tensors(f"{folder}predictions.safetensors")
    if state.get("checkpoint") != _wanted(other, checkpoint) or precision not in (None, metrics.get("precision")):
        return None
    return _checked(other, tensors, run.data.num_classes)


def _wanted(other: RunDirectory, checkpoint: str) -> str:
    """The checkpoint that evaluating the other would take: without held-out images there is no best epoch."""
    data = other.config().get("data")
    return "last" if isinstance(data, Mapping) and data.get("val_size") == 0 else checkpoint


def _checked(other: RunDirectory, tensors: dict[str, torch.Tensor], classes: int) -> Predictions:
    logits, labels = tensors.get("logits"), tensors.get("labels")
    if logits is None or labels is None or logits.shape != (*labels.shape, classes) or labels.dtype != torch.int64:
        raise RecordError(
            other.path, f"its predictions are not one logit for each of {classes} classes; evaluate it again"
        )
    return Predictions(logits.float(), labels)


def _same_data(other: RunDirectory, run: OpenRun, fingerprint: object) -> None:
    if fingerprint != run.data.fingerprint:
        raise UserError(
            f"compare={other.path} is about other images (fingerprint {str(fingerprint)[:12]!r}) than "
            f"{run.record.path} ({run.data.fingerprint[:12]!r}); compare runs on the same data set"
        )
