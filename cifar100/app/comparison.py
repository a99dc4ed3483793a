"""Two networks in ONNX on a run's test images: what the second loses and gains."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch

from cifar100.data.images import ImageSet
from cifar100.data.loader import EvalLoader
from cifar100.deploy.export import Runner, runner
from cifar100.deploy.side_by_side import side_by_side
from cifar100.evaluation.accuracy import accuracy
from cifar100.evaluation.explanations.paired import paired_difference
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.predict import Predictions
from cifar100.record import describe_environment

LATENCY_BATCHES = (1, 64)


def compared(run: OpenRun, files: Mapping[str, bytes], threads: int, repeats: int) -> dict[str, Any]:
    """Two networks in ONNX on the run's test images, by their names: accuracy and bytes of each; the paired difference
    (the second less the first); the latency of both in onnxruntime, in turns; on which machine, images and checkpoint.
    """
    names, networks = list(files), [runner(each, "onnx", threads) for each in files.values()]
    found = [_predictions(run, each) for each in networks]
    first, second = (each.correct for each in found)
    paired = paired_difference(len(first), int((second & ~first).sum()), int((first & ~second).sum()))
    timed = [
        side_by_side(
            networks[0], networks[1], run.input_shape, batch_size=size, repeats=max(10, repeats // (1 + size // 8))
        )
        for size in LATENCY_BATCHES
    ]
    sizes = zip(names, found, files.values(), strict=True)
    return {name: _accuracy(run, each) | {"bytes": len(file)} for name, each, file in sizes} | {
        "difference": {
            "top1": paired.difference,
            "low": paired.low,
            "high": paired.high,
            "p": paired.p,
            f"{names[1]}_only": paired.first_only,
            f"{names[0]}_only": paired.second_only,
        },
        "latency": [asdict(each) | {"speedup": each.speedup} for each in timed],
        "threads": threads,
        "machine": describe_environment()["hardware"],
        "checkpoint": run.checkpoint,
        "epoch": run.epoch,
        "data": run.data.name,
        "data_fingerprint": run.data.fingerprint,
        "versions": versions("torch", "onnx", "onnxscript", "onnxruntime"),
    }


def versions(*packages: str) -> dict[str, str]:
    return {each: version(each) for each in packages}


def batches(run: OpenRun, images: ImageSet, size: int) -> EvalLoader:
    return EvalLoader(images, mean=run.data.mean, std=run.data.std, batch_size=size)


def _accuracy(run: OpenRun, predictions: Predictions) -> dict[str, float | int]:
    """As in an evaluation, but logits of INT8 have ties, and top-1 counts the class that is answered: the first."""
    top1 = predictions.correct.double().mean().item()
    return accuracy(predictions, "test", run.data.superclass_of) | {"test/top1": top1}


def _predictions(run: OpenRun, network: Runner) -> Predictions:
    parts = [(network(batch.images), batch.labels) for batch in batches(run, run.data.test, LATENCY_BATCHES[-1])]
    logits, labels = (torch.cat(each) for each in zip(*parts, strict=True))
    return Predictions(logits.float(), labels)
