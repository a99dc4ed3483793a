"""Two runs compared class by class on the same images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from cifar100.evaluation.explanations.compare_figure import comparison_figure
from cifar100.evaluation.explanations.paired import PairedDifference, paired_difference
from cifar100.evaluation.explanations.subject import Subject
from cifar100.evaluation.explanations.tiles import shortened
from cifar100.evaluation.figures import png
from cifar100.evaluation.predict import Predictions
from cifar100.record import RunDirectory

log = logging.getLogger(__name__)
LEVEL = 0.05
NAMED = 8
HEADER = (
    *("class", "name", "superclass", "n", "top1", "other_top1", "difference", "low", "high"),
    *("only_this_right", "only_other_right", "p", "p_adjusted", "distinguishable"),
)


def compare_runs(subject: Subject, other: RunDirectory, predictions: Predictions) -> tuple[PairedDifference, list[Any]]:
    """Writes comparison/<other run>.csv and .png, and logs what the numbers support.

    A difference is this run's top-1 less the other's. Over all images it is one comparison; by class there are as many
    as there are classes with images, and intervals and p are corrected for that: see `paired_difference`.

    Returns:
        The difference over all images, and the rows under `HEADER`.
    """
    ours, theirs = subject.predictions.correct, predictions.correct
    total = _difference(ours, theirs, 1)
    rows = class_rows(subject, ours, theirs)
    sentences = _sentences(total, rows)
    subject.write_table(f"comparison/{other.name}.csv", HEADER, rows)
    figure = comparison_figure(rows, f"{subject.title}\nminus {other.name}", sentences)
    picture = subject.file(f"comparison/{other.name}.png")
    subject.run.record.write_bytes(picture, png(figure))
    log.info("compared with %s: %s", other.name, "; ".join(sentences))
    log.info("written to %s: %s", subject.run.record.evaluation_path(picture).parent, f"{other.name}.csv and .png")
    return total, rows


def class_rows(subject: Subject, ours: Tensor, theirs: Tensor) -> list[tuple[Any, ...]]:
    """Rows under `HEADER`, one for each class that has images, in the order of the classes.

    Args:
        subject: the run and its images.
        ours: whether this run was right, (n,) bool.
        theirs: whether the other was.
    """
    labels, names = subject.predictions.labels, subject.run.data.class_names
    present = sorted(set(labels.tolist()))
    rows = []
    for index in present:
        these = labels == index
        found = _difference(ours[these], theirs[these], len(present))
        rows.append(
            (
                *(index, names[index], subject.superclass(index), found.n),
                *(ours[these].double().mean().item(), theirs[these].double().mean().item()),
                *(found.difference, found.low, found.high, found.first_only, found.second_only),
                *(found.p, found.p_adjusted, found.distinguishable),
            )
        )
    return rows


def _difference(ours: Tensor, theirs: Tensor, comparisons: int) -> PairedDifference:
    return paired_difference(
        len(ours), int((ours & ~theirs).sum()), int((theirs & ~ours).sum()), comparisons=comparisons, level=LEVEL
    )


def _sentences(total: PairedDifference, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """The conclusion that the numbers support, in words."""
    difference, low, high = (100 * each for each in (total.difference, total.low, total.high))
    better = [row[1] for row in rows if row[-1] and row[6] > 0]
    worse = [row[1] for row in rows if row[-1] and row[6] < 0]
    verdict = "distinguishable" if total.distinguishable else "not distinguishable"
    parts = [f"{word}: {_listed(names)}" for word, names in (("better", better), ("worse", worse)) if names]
    classes = f"{len(better) + len(worse) or 'none'} of {len(rows)} classes distinguishable"
    interval = f"95% interval {low:+.2f} to {high:+.2f}, McNemar's p {total.p:.2g}"
    return [
        f"top-1 {difference:+.2f} points ({interval}): {verdict}",
        "; ".join([f"{classes} (corrected for {len(rows)} comparisons)", *parts]),
        "these are two trained networks: what other seeds would change is not in the intervals",
    ]


def _listed(names: Sequence[str]) -> str:
    shown = [shortened(name, 24) for name in names[:NAMED]]
    return ", ".join(shown) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
