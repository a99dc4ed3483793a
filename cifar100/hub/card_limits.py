"""Limits on a model card: how far its results carry, by the records."""

from __future__ import annotations

from cifar100.hub.card_metadata import data_name
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, is_dirty
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.renderers.markdown_text import escaped


def limits(run: Run, row: Row) -> list[str]:
    """Sentences, without their bullets."""
    size = run.network.get("resolution")
    name = escaped(data_name(run))
    found = [
        f"It knows the {_whole(run.network.get('num_classes'))} classes of {name} and images of {_whole(size)} by "
        f"{_whole(size)} pixels only, and gives every other image one of these classes, too.",
        "It was made to compare architectures. It was not tested on other images, on altered ones, or for any use in "
        "which a mistake matters.",
    ]
    if run.config["data"].get("name") == "digits":
        found.append("Digits are 1,797 scans of 8 by 8 pixels: a data set to try a program with, not a benchmark.")
    if row.n < FEW_SEEDS:
        runs = "One run stands" if row.n == 1 else f"{row.n} runs stand"
        found.append(
            f"{runs} behind the results: differences of a few tenths of a point to other networks mean little."
        )
    epochs = run.config["trainer"].get("num_train_epochs")
    if isinstance(epochs, int | float) and epochs < FEW_EPOCHS:
        found.append(f"It was trained for {epochs:g} epochs; published results on such data take 150 to 300.")
    if is_dirty(run):
        found.append("The program's sources had changes that the recorded commit does not have.")
    return found


def _whole(value: object) -> str:
    return str(value) if isinstance(value, int) else "?"
