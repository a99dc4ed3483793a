"""Evaluation of one run: everything that stands under evaluation/ of its run directory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from cifar100.base.errors import UserError
from cifar100.base.text import near
from cifar100.base.values import check_whole
from cifar100.evaluation.accuracy import accuracy
from cifar100.evaluation.architecture import fingerprint
from cifar100.evaluation.costs import count_costs, stage_costs
from cifar100.evaluation.evaluation_folder import write_evaluation
from cifar100.evaluation.explanations.compare import compare_runs
from cifar100.evaluation.explanations.explain import check_explanations, write_explanations
from cifar100.evaluation.explanations.other_run import find_other
from cifar100.evaluation.explanations.subject import Subject
from cifar100.evaluation.latency import Latency, measure_latency
from cifar100.evaluation.open_run import OpenRun
from cifar100.evaluation.passes import AS_TRAINED, Passes
from cifar100.evaluation.precision import Precision
from cifar100.evaluation.predict import Predictions
from cifar100.record import RunDirectory, describe_environment

log = logging.getLogger(__name__)
THROUGHPUT_BATCH = 128
SPLITS, CHECKPOINTS = ("test", "val"), ("best", "last")
TTAS = (None, "flip")
PRECISIONS = (AS_TRAINED, *(str(precision) for precision in Precision))


def evaluate_run(
    run_dir: str | Path,
    *,
    checkpoint: str = "best",
    split: str = "test",
    data_path: str | None = None,
    cache_dir: str | None = None,
    batch_size: int = 128,
    precision: str = AS_TRAINED,
    latency: bool = True,
    explain: str | Sequence[str] = (),
    samples: int = 16,
    compare: str | Path | None = None,
    tta: str | None = None,
) -> dict[str, Any]:
    """Evaluates one run on `split` and writes the results under its evaluation/ (for split=val, evaluation/val/; with
    tta=flip in a folder tta_flip/ there, so that what single passes gave stays).

    Args:
        run_dir: the run directory; read as data of unknown origin.
        checkpoint: best (by the held-out images; last where none were held out) or last.
        split: test, or val for the held-out images.
        data_path: where the images are; null looks in the caches and then the Hub.
        cache_dir: folder of the decoded images; null is the user's.
        batch_size: images per process and batch.
        precision: as_trained, float32, bf16 or fp16.
        latency: whether to time forward passes, which takes a few seconds.
        explain: any of gradcam, confused, hardest and misclassified, written under explanations/ beside the rest.
        samples: images in a picture.
        compare: another run on the same images, compared class by class.
        tta: flip for the means of the probabilities of each image and its mirror image; then no latency.

    Under accelerate, every process evaluates its part, the main one writes. Files are replaced one by one, each whole;
    metrics.json comes last, so it never speaks of files that are not there.

    Returns:
        What metrics.json holds: `split`/top1, top5, ece (fractions), loss, n, parameters, macs (multiply-adds of one
        image), latency_s (one image), images_per_s (batch of 128), and what they were measured on.

    Raises:
        ValueError, OSError: in one line, for bad arguments and for records that cannot be evaluated.
    """
    options = {"checkpoint": checkpoint, "split": split, "precision": precision, "batch_size": batch_size}
    wanted = check_options(**options, explain=explain, samples=samples, compare=compare, tta=tta)
    record = RunDirectory(run_dir)
    other = None if compare is None else find_other(compare, record)
    processes = PartialState(cpu=not torch.accelerator.is_available())
    passes = Passes(**options, data_path=data_path, cache_dir=cache_dir, processes=processes, mirrored=tta == "flip")
    run = passes.open(record)
    others = None if other is None else passes.compared(other, run)
    chosen = passes.format(run)
    log.info("evaluating %s: checkpoint %s, %s images, %s", run.record.name, run.checkpoint, split, chosen)
    predictions = passes.predictions(run)
    results = _results(run, split, predictions, chosen)
    if processes.is_main_process:
        results["git"] = describe_environment()["git"]
        if tta:
            results |= {"tta": tta, "macs": 2 * results["macs"]}
        elif latency:
            log.info("timing forward passes")
            results |= _latency(run, chosen)
        write_evaluation(run, split, predictions, results, tta)
        subject = Subject(run, split, predictions, samples)
        write_explanations(subject, wanted)
        if others:
            compare_runs(subject, other, others)
    processes.wait_for_everyone()
    return results


def check_options(
    *,
    checkpoint: str = "best",
    split: str = "test",
    precision: str = AS_TRAINED,
    batch_size: int = 128,
    explain: str | Sequence[str] = (),
    samples: int = 16,
    compare: str | Path | None = None,
    tta: str | None = None,
    **_: Any,
) -> tuple[str, ...]:
    """Looks at what of `evaluate_run`'s options can be wrong whatever the run, and returns the wanted explanations.

    Raises:
        ValueError: in one line.
    """
    _check(checkpoint=(checkpoint, CHECKPOINTS), split=(split, SPLITS), precision=(precision, PRECISIONS))
    if tta not in TTAS:
        raise UserError(f"tta={tta} is unknown; use tta=flip, or null")
    if tta and (explain or compare):
        raise UserError(f"tta={tta} has no explanations and no comparisons; leave out explain and compare, or tta")
    check_whole("batch_size", batch_size, cure=", such as 128")
    return check_explanations(explain, samples)


def _check(**arguments: tuple[str, Sequence[str]]) -> None:
    for name, (value, choices) in arguments.items():
        if value not in choices:
            raise UserError(f"{name}={value} is unknown{near(str(value), choices)}")


def _results(run: OpenRun, split: str, predictions: Predictions, precision: Precision) -> dict[str, Any]:
    costs = count_costs(run.model, run.input_shape)
    if costs.uncounted:
        log.warning("multiply-adds without these operators, whose cost is unknown: %s", ", ".join(costs.uncounted))
    return {
        **accuracy(predictions, split, run.data.superclass_of),
        "checkpoint": run.checkpoint,
        "epoch": run.epoch,
        "precision": str(precision),
        "data": run.data.name,
        "data_fingerprint": run.data.fingerprint,
        "parameters": costs.parameters,
        "macs": costs.macs,
        "uncounted_operators": dict(costs.uncounted),
        "stages": stage_costs(costs),
        "architecture": fingerprint(run.model, run.input_shape),
    }


def _latency(run: OpenRun, precision: Precision) -> dict[str, Any]:
    one, many = (
        measure_latency(run.model, run.input_shape, batch_size=size, precision=precision)
        for size in (1, THROUGHPUT_BATCH)
    )
    device = next(run.model.parameters()).device
    hardware = describe_environment()["hardware"]
    named = getattr(torch.get_device_module(device), "get_device_name", None)
    measured = {f"batch_{each.batch_size}": _fields(each) for each in (one, many)}
    return {
        "latency_s": one.median_s,
        "images_per_s": many.images_per_s,
        "latency": {
            "machine": named(device) if named else hardware["cpu"],
            "device": device.type,
            "cpu_cores": hardware["cpu_cores_usable"],
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "compiled": False,
            **measured,
        },
    }


def _fields(latency: Latency) -> dict[str, Any]:
    return {"median_s": latency.median_s, "min_s": latency.min_s, "repeats": latency.repeats}
