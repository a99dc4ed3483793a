"""A network with its normalisation: the logits of the training pipeline, and the names of the likeliest classes."""

import pytest
import torch
from torch import nn

from cifar100.data.digits import read_digits
from cifar100.data.loader import EvalLoader
from cifar100.deploy.classifier import Classifier

NAMES = ("zero", "one", "two")


class Linear(nn.Module):
    """Three classes from images 2x2 with one channel, so that a logit is known by hand."""

    in_channels, num_classes, resolution = 1, 3, 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0, 0, 0], x[:, 0, 0, 1], x[:, 0, 1, 1]], dim=1)


def test_names_the_likeliest_classes_first():
    image = torch.tensor([[[[0, 255], [0, 102]]]], dtype=torch.uint8)
    (guesses,) = Classifier(Linear(), NAMES, (0.5,), (0.25,)).predict(image, top=2)
    logits = torch.tensor([-2.0, 2.0, (0.4 - 0.5) / 0.25], dtype=torch.float64)
    expected = logits.softmax(0)
    assert [guess.name for guess in guesses] == ["one", "two"]
    assert [guess.probability for guess in guesses] == pytest.approx([expected[1].item(), expected[2].item()], abs=1e-6)


def test_more_classes_than_there_are_is_all_of_them():
    (guesses,) = Classifier(Linear(), NAMES, (0.5,), (0.25,)).predict(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), top=9)
    assert sum(guess.probability for guess in guesses) == pytest.approx(1) and len(guesses) == 3


def test_sees_what_training_and_evaluation_see(image_cache):
    data = read_digits()
    seen = []

    class Watched(nn.Module):
        in_channels, num_classes, resolution = 1, 10, 8

        def forward(self, x):
            seen.append(x)
            return torch.zeros(len(x), 10)

    Classifier(Watched(), data.class_names, data.mean, data.std).predict(data.test.images[:50])
    loader = EvalLoader(
        data.test, mean=data.mean, std=data.std, batch_size=50, num_processes=1, process_index=0, num_workers=0,
        device=torch.device("cpu"),
    )  # fmt: skip
    assert torch.equal(seen[0], next(iter(loader)).images)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.zeros(1, 1, 2, 2), {}, "uint8"),
        (torch.zeros(1, 3, 2, 2, dtype=torch.uint8), {}, r"\(n, 1, 2, 2\)"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), {"top": 0}, "top=0"),
    ],
)
def test_refuses_images_of_another_kind(images, options, message):
    with pytest.raises(ValueError, match=message):
        Classifier(Linear(), NAMES, (0.5,), (0.25,)).predict(images, **options)


def test_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match="2 class names"):
        Classifier(Linear(), NAMES[:2], (0.5,), (0.25,))
