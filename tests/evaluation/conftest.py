"""Evaluated runs that cost nothing: images, labels and logits written down by the test."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar100.data.images import ImageData, ImageSet
from cifar100.evaluation.explanations.subject import Subject
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.precision import Precision
from cifar100.evaluation.predict import Predictions
from cifar100.record import RunDirectory


@pytest.fixture
def make_subject(tmp_path: Path) -> Callable[..., Subject]:
    """Called as (logits, labels, class_names, superclass_of=(), samples=16, model=None, size=8, channels=1)."""

    def build(logits, labels, names, superclass_of=(), samples=16, model=None, size=8, channels=1) -> Subject:
        labels = torch.as_tensor(labels)
        pixels = torch.randint(256, (len(labels), channels, size, size), generator=torch.Generator().manual_seed(0))
        images = ImageSet(pixels.to(torch.uint8).contiguous(memory_format=torch.channels_last), labels)
        parents = tuple(f"kind {index}" for index in range(max(superclass_of, default=-1) + 1))
        one = (0.5,) * channels
        data = ImageData("drawn", images, None, images, tuple(names), parents, tuple(superclass_of), one, one, "f" * 64)
        run = OpenRun(RunDirectory(tmp_path / "a run"), model, data, "best", 3, Precision.BF16)
        return Subject(run, "test", Predictions(torch.as_tensor(logits).float(), labels), samples)

    return build
