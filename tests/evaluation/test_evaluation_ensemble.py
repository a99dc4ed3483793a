"""Answers of several forward passes: an image and its mirror image, the seeds of a row; recorded beside single runs."""

import json

import pytest
import torch
from torch import nn

from cifar100.base.errors import UserError
from cifar100.data.images import ImageSet
from cifar100.data.loader import EvalLoader
from cifar100.evaluation import evaluate_runs, predict
from cifar100.evaluation.predict import mean_probabilities


class Halves(nn.Module):
    """Logits: the sums of the left and of the right half of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.scale * torch.stack([images[..., :4].sum((1, 2, 3)), images[..., 4:].sum((1, 2, 3))], dim=1)


def test_probabilities_are_averaged():
    logits = [torch.tensor([[0.0, 0.0], [4.0, 0.0]]), torch.tensor([[1.0, -1.0], [0.0, 9.0]])]
    expected = (logits[0].softmax(1) + logits[1].softmax(1)) / 2
    assert torch.allclose(mean_probabilities(logits).softmax(1), expected)
    assert torch.allclose(mean_probabilities(logits[:1]), logits[0].log_softmax(1))


def test_a_mirrored_image_is_another_view_of_it():
    pixels = torch.randint(256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = ImageSet(pixels.contiguous(memory_format=torch.channels_last), torch.arange(5) % 2)
    loader = EvalLoader(images, mean=(0.5,), std=(0.5,), batch_size=3)
    once = predict(Halves(), loader, 5, num_classes=2)
    both = predict(Halves(), loader, 5, num_classes=2, mirrored=True)
    expected = (once.logits.softmax(1) + once.logits.flip(1).softmax(1)) / 2  # the halves change places
    assert torch.allclose(both.logits.softmax(1), expected, atol=1e-6) and torch.equal(both.labels, once.labels)


@pytest.fixture
def study(record_run, tmp_path, monkeypatch):
    """Two seeds of one row and one of another, never trained."""
    monkeypatch.setattr("cifar100.evaluation.evaluation_folder.png", lambda figure: b"a figure")
    for seed in (0, 1):
        record_run(tmp_path / "s" / f"small-e150-seed{seed}-0000000{seed}", seed=seed)
    record_run(tmp_path / "s" / "other-e150-seed0-00000002", "optimizer.lr=0.2")
    return tmp_path / "s"


def test_an_ensemble_stands_beside_its_members(study, image_cache):
    results = evaluate_runs(study, ensemble=True, latency=False, cache_dir=str(image_cache))
    *runs, ensemble = results
    assert len(runs) == 3 and ensemble.startswith(str(study / "ensembles" / "small-e150-2seeds-"))
    recorded = json.loads((study / "ensembles").glob("*/metrics.json").__next__().read_text())
    assert recorded == results[ensemble]
    members = [path for path in runs if "small" in path]
    assert recorded["members"] == ["small-e150-seed0-00000000", "small-e150-seed1-00000001"]
    assert recorded["members_test/top1"] == [results[path]["test/top1"] for path in members]
    assert recorded["parameters"] == 2 * results[members[0]]["parameters"] and recorded["n"] == 360
    single = json.loads((study / "small-e150-seed0-00000000" / "evaluation" / "metrics.json").read_text())
    assert single == results[members[0]] and "members" not in single
    again = evaluate_runs(study, ensemble=True, latency=False, cache_dir=str(image_cache))
    assert len(again) == 4, "an ensemble is no run"


def test_test_time_augmentation_stands_beside_single_passes(study, image_cache):
    run = study / "other-e150-seed0-00000002"
    options = {"latency": False, "cache_dir": str(image_cache)}
    plain = evaluate_runs(run, **options)[str(run)]
    flipped = evaluate_runs(run, tta="flip", **options)[str(run)]
    read = {
        name: json.loads((run / "evaluation" / name).read_text()) for name in ("metrics.json", "tta_flip/metrics.json")
    }
    assert read == {"metrics.json": plain, "tta_flip/metrics.json": flipped}
    assert "tta" not in plain and flipped["tta"] == "flip" and flipped["macs"] == 2 * plain["macs"]
    assert flipped["test/loss"] != plain["test/loss"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tta": "crop"}, "tta=crop is unknown"),
        ({"tta": "flip", "explain": ["hardest"]}, "tta=flip has no explanations"),
        ({"ensemble": "yes"}, "ensemble=yes must be true or false"),
        ({"ensemble": True}, "ensemble=true needs runs that differ only in the seed"),
    ],
)
def test_refused_in_one_line(study, options, message):
    with pytest.raises(UserError, match=message):
        evaluate_runs(study / "other-e150-seed0-00000002", latency=False, **options)
