"""Figures and tables from predictions: top-1, top-5, loss, calibration; by class, by superclass, confusions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cifar100.evaluation.predict import Predictions
from cifar100.metrics import Totals, confusion_matrix, expected_calibration_error, ranks

Row = dict[str, Any]


def accuracy(predictions: Predictions, split: str, superclass_of: Sequence[int] = ()) -> dict[str, float | int]:
    """`split`/top1, top5, ece as fractions, `split`/loss as mean cross-entropy (nats, no label smoothing), and n.

    The expected calibration error has 15 equal bins of confidence (arXiv 1706.04599, equation 3). Where classes have
    superclasses, `split`/superclass_top1 is how often the answer was within the right one.
    """
    totals = Totals()
    logits = predictions.logits.double()
    totals.update(logits, predictions.labels, cross_entropy(logits, predictions.labels))
    results = totals.results()
    count = results.pop("n")
    results["ece"] = expected_calibration_error(predictions.confidences, predictions.correct)
    if superclass_of:
        parent = torch.as_tensor(superclass_of)
        within = parent[predictions.predicted] == parent[predictions.labels]
        results["superclass_top1"] = within.double().mean().item()
    return {**{f"{split}/{name}": value for name, value in results.items()}, "n": count}


def confusions(predictions: Predictions) -> Tensor:
    """Images by true class (row) and predicted class (column), (classes, classes) int64."""
    return confusion_matrix(predictions.predicted, predictions.labels, predictions.logits.shape[1])


def class_rows(predictions: Predictions, names: Sequence[str], superclasses: Sequence[str]) -> list[Row]:
    """One row a class: images, top-1 and top-5 among them, and precision: how often the answer was right when given.

    `superclasses` names each class's superclass, or is empty. A fraction of no images is None.
    """
    matrix = confusions(predictions)
    top5 = ranks(predictions.logits, predictions.labels) < 5
    found = torch.bincount(predictions.labels[top5], minlength=len(names))
    return [
        {
            "class": index,
            "name": name,
            **({"superclass": superclasses[index]} if superclasses else {}),
            "n": int(matrix[index].sum()),
            "top1": _fraction(matrix[index, index], matrix[index].sum()),
            "top5": _fraction(found[index], matrix[index].sum()),
            "precision": _fraction(matrix[index, index], matrix[:, index].sum()),
        }
        for index, name in enumerate(names)
    ]


def superclass_rows(predictions: Predictions, names: Sequence[str], superclass_of: Sequence[int]) -> list[Row]:
    """One row a superclass: images, top-1 over the classes, and how often the answer was within the superclass."""
    parent = torch.as_tensor(superclass_of)
    truth = parent[predictions.labels]
    right = predictions.correct
    within = parent[predictions.predicted] == truth
    return [
        {
            "superclass": index,
            "name": name,
            "classes": int((parent == index).sum()),
            "n": int((truth == index).sum()),
            "top1": _fraction(right[truth == index].sum(), (truth == index).sum()),
            "superclass_top1": _fraction(within[truth == index].sum(), (truth == index).sum()),
        }
        for index, name in enumerate(names)
    ]


def _fraction(part: Tensor, whole: Tensor) -> float | None:
    return int(part) / int(whole) if int(whole) else None
