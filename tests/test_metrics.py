"""Metrics against scikit-learn and written-out formulas."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics

from cifar100.metrics import (
    Totals,
    confusion_matrix,
    expected_calibration_error,
    ranks,
    reliability_bins,
    widest,
)


@pytest.fixture
def predictions():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (500,), generator=generator)
    logits = torch.randn(500, 10, generator=generator) + 1.5 * torch.nn.functional.one_hot(labels, 10)
    return logits, labels


def totals_of(logits, labels, sizes):
    totals = Totals()
    for part, target in zip(logits.split(sizes), labels.split(sizes), strict=True):
        totals.update(part, target, torch.nn.functional.cross_entropy(part, target))
    return totals


def test_totals_over_uneven_batches_agree_with_sklearn(predictions):
    logits, labels = predictions
    results = totals_of(logits, labels, [128, 128, 128, 116]).results()
    scores = logits.softmax(1).double().numpy()
    assert results["top1"] == sklearn_metrics.top_k_accuracy_score(labels, scores, k=1)
    assert results["top5"] == sklearn_metrics.top_k_accuracy_score(labels, scores, k=5)
    assert results["loss"] == pytest.approx(sklearn_metrics.log_loss(labels, logits.double().softmax(1)), rel=1e-6)
    assert results["n"] == 500
    assert list(results) == ["top1", "top5", "loss", "n"]


def test_totals_add_up_over_processes_and_survive_a_checkpoint(predictions):
    logits, labels = predictions
    whole = totals_of(logits, labels, [250, 250])
    halves = [totals_of(logits[half], labels[half], [250]) for half in (slice(0, 250), slice(250, 500))]
    assert whole.as_tensor().dtype == torch.float64
    summed = Totals.from_tensor(halves[0].as_tensor() + halves[1].as_tensor())
    assert summed.results() == whole.results()
    summed.update(logits, labels, torch.tensor(1.0))
    assert (summed.count, whole.count) == (1000, 500)
    assert (whole.top1, whole.top5, whole.loss) == tuple(whole.results().values())[:3]
    with pytest.raises(ValueError, match=r"must have shape \(4,\)"):
        Totals.from_tensor(torch.zeros(3))


def test_totals_with_few_classes_count_all_of_them_in_top5():
    totals = Totals()
    totals.update(torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([2]), torch.tensor(0.5))
    assert totals.results() == {"top1": 0, "top5": 1, "loss": 0.5, "n": 1}


def test_equal_logits_are_counted_alike_in_every_metric():
    """bfloat16 has 256 steps between powers of two, so among a hundred logits two are often equal."""
    logits = torch.randn(5_000, 100, generator=torch.Generator().manual_seed(0)).bfloat16()
    labels = logits.argmax(1).where(torch.arange(5_000) % 2 == 0, logits.float().topk(2).indices[:, 1])
    assert (logits.topk(2).values.diff() == 0).sum() > 50
    totals = Totals()
    totals.update(logits, labels, torch.tensor(1.0))
    matrix = confusion_matrix(logits.argmax(1), labels, 100)
    assert totals.top1 == int(matrix.trace()) / 5_000
    order = logits.float().argsort(dim=1, descending=True, stable=True)
    assert torch.equal(ranks(logits, labels), order.eq(labels[:, None]).int().argmax(1))


@pytest.mark.parametrize("classes", [4, 10])  # fewer than the five of top-5, too
def test_totals_do_not_count_nan_as_right(classes):
    totals = Totals()
    totals.update(torch.full((4, classes), torch.nan), torch.arange(4), torch.tensor(torch.nan))
    assert (totals.top1, totals.top5) == (0, 0)
    assert math.isnan(totals.loss)


def test_totals_without_images():
    totals = Totals()
    totals.update(torch.zeros(0, 10), torch.zeros(0, dtype=torch.long), torch.tensor(torch.nan))
    assert totals.count == 0 and math.isnan(totals.top1) and math.isnan(totals.loss)


def test_totals_take_half_precision_inference_and_a_loss_with_a_graph(predictions):
    logits, labels = predictions
    totals = Totals()
    with torch.inference_mode():
        totals.update(logits.bfloat16(), labels, torch.tensor(2.0, dtype=torch.bfloat16))
    loss = torch.tensor(2.0, requires_grad=True)
    totals.update(logits, labels, loss)
    assert not totals.as_tensor().requires_grad
    assert totals.loss == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_totals_do_not_wait_for_the_gpu(predictions):
    logits, labels = (tensor.cuda() for tensor in predictions)
    totals, loss = Totals(), torch.ones((), device="cuda")
    totals.update(logits, labels, loss)
    torch.cuda.set_sync_debug_mode("error")
    try:
        totals.update(logits, labels, loss)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert totals.count == 1000


def test_confusion_matrix_agrees_with_sklearn(predictions):
    logits, labels = predictions
    guesses = logits.argmax(1)
    matrix = confusion_matrix(guesses, labels, 10)
    np.testing.assert_array_equal(matrix, sklearn_metrics.confusion_matrix(labels, guesses))


@pytest.mark.parametrize("bad", [-1, 3])
def test_classes_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="use classes from 0 to num_classes - 1 = 2"):
        confusion_matrix(torch.tensor([0, bad]), torch.tensor([0, 1]), 3)
    with pytest.raises(ValueError, match="use classes from 0 to num_classes - 1 = 2"):
        confusion_matrix(torch.tensor([0, 1]), torch.tensor([0, bad]), 3)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_error_is_the_formula(predictions, bins):
    logits, labels = predictions
    confidences, guesses = logits.softmax(1).max(1)
    correct = (guesses == labels).numpy()
    values = confidences.double().numpy()
    error = 0.0
    for i in range(bins):
        inside = (values > i / bins) & (values <= (i + 1) / bins)
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - values[inside].mean())
    assert expected_calibration_error(confidences, guesses == labels, bins) == pytest.approx(error, rel=1e-9)


def test_reliability_bins_hold_their_edges():
    table = reliability_bins(torch.tensor([0.0, 0.2, 0.2001, 1.0]), torch.tensor([False, True, True, True]), bins=5)
    assert table.lower.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert table.upper.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert table.count.tolist() == [1, 2, 0, 0, 1]  # 0.2 in float32 lies just above 0.2
    assert table.accuracy[0] == 0 and table.accuracy[1] == 1 and table.accuracy[2].isnan()
    assert expected_calibration_error(torch.tensor([1.0, 1.0]), torch.tensor([True, True])) == 0
    assert expected_calibration_error(torch.tensor([1.0, 1.0]), torch.tensor([False, True])) == 0.5
    assert math.isnan(expected_calibration_error(torch.zeros(0), torch.zeros(0, dtype=torch.bool)))
    with pytest.raises(ValueError, match="bins=0 must be >= 1"):
        reliability_bins(torch.ones(1), torch.ones(1), bins=0)


def test_sums_are_as_wide_as_a_device_allows():
    found = {name: widest(torch.device(name)) for name in ("cpu", "cuda", "mps")}
    assert found == {"cpu": torch.float64, "cuda": torch.float64, "mps": torch.float32}
