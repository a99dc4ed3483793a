"""Predictions: order, exactness, mode and precision."""

from typing import NamedTuple

import pytest
import torch
from torch import nn

from cifar100.evaluation.precision import Precision
from cifar100.evaluation.predict import predict


class Batch(NamedTuple):
    images: torch.Tensor
    labels: torch.Tensor


class FakeLoader:
    """Batches of 3 over images whose pixels are their index; `indices` in any order."""

    def __init__(self, indices) -> None:
        self.indices = indices

    def __len__(self) -> int:
        return -(-len(self.indices) // 3)

    def __iter__(self):
        for part in torch.tensor(self.indices).split(3):
            yield Batch(part.float().reshape(-1, 1, 1, 1).expand(-1, 2, 4, 4), part % 5)


class Scores(nn.Module):
    """Logits whose first is the index of the image; batch norm and dropout would disturb them in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(5))
        self.rest = nn.Sequential(nn.BatchNorm2d(2, affine=False, eps=0), nn.Dropout(0.9))

    def forward(self, x):
        return self.rest(x).mean((1, 2, 3))[:, None] * self.scale


def test_predictions_come_back_in_the_order_of_the_split():
    model = Scores().train()
    predictions = predict(model, FakeLoader([6, 0, 3, 1, 5, 2, 4]), 7, num_classes=5)
    assert predictions.logits[:, 0].tolist() == list(range(7))
    assert predictions.labels.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert model.training and model.rest[1].training
    assert torch.equal(model.rest[0].running_mean, torch.zeros(2))


@pytest.mark.parametrize("indices", [[0, 1, 2], [0, 1, 2, 3, 3], [0, 1, 2, 3, 5], [0, 1, 2, 2]])
def test_an_image_missing_or_twice_is_an_error(indices):
    with pytest.raises(RuntimeError, match="each must be counted once"):
        predict(Scores(), FakeLoader(indices), 4, num_classes=5)


def test_wrong_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="is not one logit for each of 10 classes"):
        predict(Scores(), FakeLoader([0, 1]), 2, num_classes=10)


def test_precision_is_the_one_asked_for():
    model = nn.Sequential(nn.Flatten(), nn.Linear(32, 5))
    exact = predict(model, FakeLoader(range(9)), 9, num_classes=5).logits
    rounded = predict(model, FakeLoader(range(9)), 9, num_classes=5, precision=Precision.BF16).logits
    assert exact.dtype == rounded.dtype == torch.float32
    assert torch.equal(rounded, rounded.bfloat16().float()) and not torch.equal(exact, rounded)
    assert torch.allclose(exact, rounded, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [({"bf16": True}, "bf16"), ({"fp16": True, "bf16": False}, "fp16"), ({"bf16": False}, "float32"), (None, "float32"),
     ({"bf16": "yes"}, "float32")],
)  # fmt: skip
def test_precision_of_a_recorded_trainer(trainer, expected):
    assert Precision.of_trainer(trainer) == expected
