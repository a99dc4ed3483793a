"""The example of a detector on a trained backbone: its scenes are what it says, and it learns."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

CHECKOUT = Path(__file__).parents[1]
FILE = CHECKOUT / "examples" / "detect_digits.py"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="an installed package has no examples")


@pytest.fixture(scope="module")
def example(image_cache):
    spec = importlib.util.spec_from_file_location("detect_digits", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_scenes_hold_the_digits_of_their_boxes(example):
    images, targets = example.compose_scenes("test", 20, seeded(0))
    again, _ = example.compose_scenes("test", 20, seeded(0))
    assert all(map(torch.equal, images, again)) and {len(each["labels"]) for each in targets} == {1, 2, 3}
    for image, target in zip(images, targets, strict=True):
        assert image.shape == (3, 64, 64) and 0 <= image.min() and image.max() <= 1
        sides = target["boxes"][:, 2:] - target["boxes"][:, :2]
        assert torch.equal(sides[:, 0], sides[:, 1]) and 14 <= sides.min() and sides.max() <= 28
        assert 0 <= target["boxes"].min() and target["boxes"].max() <= 64
        overlaps = example.box_iou(target["boxes"], target["boxes"])
        assert torch.equal(overlaps, torch.eye(len(overlaps)))


def test_the_detector_learns_a_batch_on_a_trained_backbone(example):
    torch.manual_seed(0)
    model = example.detector(str(CHECKOUT / example.RUN))
    assert model.backbone.strides == [2, 4]
    scenes = example.compose_scenes("train", 2, seeded(0))
    optimizer, losses = torch.optim.AdamW(model.parameters(), 1e-3), []
    for _ in range(3):
        losses.append(sum(model.train()(*scenes).values()))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[2] < losses[1] < losses[0]
    assert all(each.grad.abs().sum() > 0 for each in model.backbone.network.stem.parameters())


def test_a_digit_is_found_by_one_box_of_its_class(example):
    boxes = torch.tensor([[0, 0, 10, 10.0], [20, 20, 30, 30], [40, 40, 50, 50]])
    seen = {"boxes": boxes[[0, 0, 1, 2]] + torch.tensor([[0], [1], [2], [0]])}
    seen |= {"labels": torch.tensor([3, 3, 4, 9]), "scores": torch.tensor([0.9, 0.8, 0.7, 0.6])}
    model = SimpleNamespace(eval=lambda: lambda images: [seen])
    found = example.evaluate(model, ([torch.zeros(3, 64, 64)], [{"boxes": boxes, "labels": torch.tensor([3, 4, 5])}]))
    # the second box is on a digit that has been found, the third right by 64 of 136 pixels, the last of another class
    assert found == pytest.approx((1 / 3, 1 / 3))


@pytest.mark.slow
def test_the_whole_example_finds_most_digits(example):
    torch.manual_seed(0)
    model = example.detector(str(CHECKOUT / example.RUN))
    example.train(model, 300, seeded(0))
    precision, recall = example.evaluate(model, example.compose_scenes("test", 100, seeded(1)))
    assert precision > 0.25 and recall > 0.9  # 0.33 was measured: every digit is found, few are told apart
