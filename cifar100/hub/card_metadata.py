"""The YAML at the head of a card, by which the Hub finds and compares repositories."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.record.fields import METRICS
from cifar100.report.records.run import Run

LIBRARY = "cifar100-lab"
# Data sets by the names that records give them: on the Hub, and for readers.
ON_THE_HUB = {
    "cifar100": ("uoft-cs/cifar100", "CIFAR-100"),
    "cifar10": ("uoft-cs/cifar10", "CIFAR-10"),
    "tiny_imagenet": ("zh-plus/tiny-imagenet", "Tiny ImageNet"),
}


def data_name(run: Run) -> str:
    """The common name of the data set; digits by that name, so that nobody takes them for CIFAR-100."""
    name = plain_line(run.config["data"].get("name") or "unknown", 60)
    return ON_THE_HUB.get(name, ("", name))[1]


def model_metadata(run: Run, repo_id: str, license: str | None) -> Any:
    """huggingface_hub's ModelCardData with a model-index of the run's own results, in fractions as its record has them.

    Means over seeds are for the card's text: an entry of the index speaks of the weights beside it.
    """
    from huggingface_hub import EvalResult, ModelCardData

    recorded = plain_line(run.config["data"].get("name") or "unknown", 60)
    on_hub, name = ON_THE_HUB.get(recorded, (recorded, recorded))
    results = [
        EvalResult(
            task_type="image-classification",
            dataset_type=on_hub,
            dataset_name=name,
            dataset_split="test",
            metric_type=field.hub,
            metric_name=field.en.capitalize(),
            metric_value=field.read(run.evaluation),
        )
        for field in METRICS
        if field.hub and field.read(run.evaluation) is not None
    ]
    return ModelCardData(
        library_name=LIBRARY,
        license=license,
        pipeline_tag="image-classification",
        tags=["image-classification", LIBRARY, recorded],
        datasets=[on_hub] if recorded in ON_THE_HUB else None,
        metrics=["accuracy"],
        model_name=repo_id.split("/")[1],
        eval_results=results,
    )


def dataset_metadata(name: str, license: str | None) -> Any:
    """huggingface_hub's DatasetCardData of a pushed study. The records are many small files of different kinds, which
    the Hub's table viewer has no use for."""
    from huggingface_hub import DatasetCardData

    return DatasetCardData(
        license=license,
        pretty_name=plain_line(name, 100),
        task_categories=["image-classification"],
        tags=[LIBRARY, "training-records"],
        viewer=False,
    )
