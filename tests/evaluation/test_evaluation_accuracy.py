"""Accuracy figures and tables against numbers worked out by hand."""

import math

import pytest
import torch

from cifar100.evaluation.accuracy import accuracy, class_rows, confusions, superclass_rows
from cifar100.evaluation.predict import Predictions

# Seven classes, four images. Probabilities are spelt out, so that logits are their logarithms.
PROBABILITIES = [
    [0.70, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],  # true 0: right
    [0.30, 0.20, 0.10, 0.10, 0.10, 0.10, 0.10],  # true 1: second, predicted 0
    [0.25, 0.20, 0.15, 0.14, 0.13, 0.12, 0.01],  # true 6: last, predicted 0
    [0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01],  # true 3: right
]
LABELS = [0, 1, 6, 3]
NAMES = ["a", "b", "c", "d", "e", "f", "g"]
SUPERCLASS_OF = [0, 0, 0, 1, 1, 1, 1]


@pytest.fixture
def predictions() -> Predictions:
    return Predictions(torch.tensor(PROBABILITIES).log(), torch.tensor(LABELS))


def test_accuracy_by_hand(predictions):
    results = accuracy(predictions, "test", SUPERCLASS_OF)
    loss = -(math.log(0.7) + math.log(0.2) + math.log(0.01) + math.log(0.94)) / 4
    # bins of 1/15: 0.70, 0.30, 0.25 and 0.94 lie alone in theirs
    ece = ((1 - 0.70) + (0.30 - 0) + (0.25 - 0) + (1 - 0.94)) / 4
    assert results["n"] == 4
    assert results["test/top1"] == 0.5
    assert results["test/top5"] == 0.75
    assert results["test/loss"] == pytest.approx(loss, rel=1e-6)
    assert results["test/ece"] == pytest.approx(ece, rel=1e-6)
    assert results["test/superclass_top1"] == 0.75  # the second image's answer is wrong but within its superclass
    assert list(accuracy(predictions, "val")) == ["val/top1", "val/top5", "val/loss", "val/ece", "n"]


def test_confusions_have_the_true_class_in_rows(predictions):
    matrix = confusions(predictions)
    assert {(int(row), int(column)) for row, column in matrix.nonzero()} == {(0, 0), (1, 0), (6, 0), (3, 3)}
    assert matrix.sum() == 4


def test_class_rows(predictions):
    rows = class_rows(predictions, NAMES, ["x"] * 3 + ["y"] * 4)
    assert [row["name"] for row in rows] == NAMES
    assert rows[0] == {"class": 0, "name": "a", "superclass": "x", "n": 1, "top1": 1, "top5": 1, "precision": 1 / 3}
    assert rows[1] == {"class": 1, "name": "b", "superclass": "x", "n": 1, "top1": 0, "top5": 1, "precision": None}
    assert rows[2] == {
        "class": 2,
        "name": "c",
        "superclass": "x",
        "n": 0,
        "top1": None,
        "top5": None,
        "precision": None,
    }
    assert rows[6]["top5"] == 0
    assert "superclass" not in class_rows(predictions, NAMES, [])[0]


def test_superclass_rows(predictions):
    first, second = superclass_rows(predictions, ["x", "y"], SUPERCLASS_OF)
    assert first == {"superclass": 0, "name": "x", "classes": 3, "n": 2, "top1": 0.5, "superclass_top1": 1.0}
    assert second == {"superclass": 1, "name": "y", "classes": 4, "n": 2, "top1": 0.5, "superclass_top1": 0.5}


def test_tables_agree_with_the_totals():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, 20, generator=generator)
    labels = torch.randint(20, (500,), generator=generator)
    drawn = Predictions(logits, labels)
    results = accuracy(drawn, "test")
    rows = class_rows(drawn, [str(index) for index in range(20)], [])
    for key in ("top1", "top5"):
        assert sum(row[key] * row["n"] for row in rows) == pytest.approx(500 * results[f"test/{key}"])
    parents = superclass_rows(drawn, ["even", "odd"], [index % 2 for index in range(20)])
    assert sum(row["n"] for row in parents) == 500
    assert sum(row["top1"] * row["n"] for row in parents) == pytest.approx(500 * results["test/top1"])
