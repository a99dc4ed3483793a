"""Images that a network got wrong, the most confident mistakes first."""

from __future__ import annotations

from typing import Any

import torch

from cifar100.evaluation.explanations.subject import Subject
from cifar100.evaluation.explanations.tiles import Tile, percent, pixels, shortened, tile_figure
from cifar100.evaluation.figures import png

HEADER = ("index", "true", "predicted", "confidence", "true_probability", "true_rank")


def misclassified(subject: Subject) -> list[str]:
    """Writes misclassified.csv, every wrong answer, and misclassified.png, the first `samples` of them.

    index is the image's place in the split, confidence the softmax probability of the answer, true_rank the place of
    the right class among the logits (2 is the second highest). The most confident mistakes show labels that can be
    argued about; they are no fair sample of all mistakes.
    """
    rows = mistakes(subject)
    files = [subject.write_table("misclassified.csv", HEADER, rows)]
    if rows:
        subject.run.record.write_bytes(subject.file("misclassified.png"), png(_figure(subject, rows)))
        files.append("misclassified.png")
    return files


def mistakes(subject: Subject) -> list[tuple[Any, ...]]:
    """Rows under `HEADER`, by descending confidence; among equals in the order of the split."""
    predictions, names = subject.predictions, subject.run.data.class_names
    probabilities = predictions.logits.double().softmax(dim=1)
    truth = probabilities.gather(1, predictions.labels[:, None])
    ranks = (predictions.logits > predictions.logits.gather(1, predictions.labels[:, None])).sum(dim=1) + 1
    predicted, confidences = predictions.predicted, predictions.confidences  # each is computed when asked for
    wrong = (predicted != predictions.labels).nonzero()[:, 0]
    order = wrong[confidences[wrong].argsort(descending=True, stable=True)]
    return [
        (
            index,
            names[predictions.labels[index]],
            names[predicted[index]],
            confidences[index].item(),
            truth[index, 0].item(),
            int(ranks[index]),
        )
        for index in order.tolist()
    ]


def _figure(subject: Subject, rows: list[tuple[Any, ...]]) -> Any:
    shown = rows[: subject.samples]
    images = subject.run.images(subject.split).images[torch.tensor([row[0] for row in shown])]
    tiles = [
        Tile(pixels(image), f"{shortened(true)}\nas {shortened(answer)}, {percent(confidence)}")
        for image, (_, true, answer, confidence, *_) in zip(images, shown, strict=True)
    ]
    columns = min(8, max(4, len(tiles)))
    grid = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    wrong = f"{len(rows):,} of {len(subject.predictions.labels):,} answers are wrong; the most confident of them"
    return tile_figure(grid, f"{subject.title}\n{wrong}", columns=columns)
