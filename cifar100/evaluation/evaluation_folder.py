"""The files under evaluation/ of a run directory."""

from __future__ import annotations

from typing import Any

from cifar100.evaluation.accuracy import Row, class_rows, confusions, superclass_rows
from cifar100.evaluation.figures import confusion_figure, png, reliability_figure
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.predict import Predictions


def evaluation_folder(split: str, tta: str | None = None) -> str:
    """Where a split's files are, relative to evaluation/: the test split's at the top, others in their own folder, and
    what test-time augmentation makes of either in one below."""
    return ("" if split == "test" else f"{split}/") + (f"tta_{tta}/" if tta else "")


def write_evaluation(
    run: OpenRun, split: str, predictions: Predictions, results: dict[str, Any], tta: str | None = None
) -> None:
    """Predictions, tables and figures, and last, as the sign that all is there, metrics.json. The one of an earlier
    evaluation goes first, lest a killed process leave it among the files of this one.

    predictions.safetensors holds logits (n, classes) float32 and labels (n,) int64 in the order of the split, from
    which every other number can be computed again.
    """
    record, data, folder = run.record, run.data, evaluation_folder(split, tta)
    record.remove(f"{folder}metrics.json")
    kept = {"logits": predictions.logits, "labels": predictions.labels}
    record.write_tensors(f"{folder}predictions.safetensors", kept, {"split": split, "checkpoint": run.checkpoint})
    parents = [data.superclass_names[index] for index in data.superclass_of]
    _write_table(run, f"{folder}per_class.csv", class_rows(predictions, data.class_names, parents))
    if data.superclass_of:
        rows = superclass_rows(predictions, data.superclass_names, data.superclass_of)
        _write_table(run, f"{folder}per_superclass.csv", rows)
    matrix = confusions(predictions)
    counts = [[name, *row] for name, row in zip(data.class_names, matrix.tolist(), strict=True)]
    record.write_csv(f"{folder}confusion.csv", ["true class", *data.class_names], counts)
    title = f"{run.title}\n{data.name}, {split}, top-1 {results[f'{split}/top1']:.1%}"
    drawn = confusion_figure(matrix, data.class_names, title, data.superclass_of)
    record.write_bytes(f"{folder}confusion.png", png(drawn))
    drawn = reliability_figure(predictions.confidences, predictions.correct, title, results[f"{split}/ece"])
    record.write_bytes(f"{folder}reliability.png", png(drawn))
    record.write_json(f"{folder}metrics.json", results)


def _write_table(run: OpenRun, name: str, rows: list[Row]) -> None:
    run.record.write_csv(name, list(rows[0]), [list(row.values()) for row in rows])
