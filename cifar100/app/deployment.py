"""Recorded runs in other formats: export and quantisation, each with what it was checked by."""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cifar100.app.comparison import LATENCY_BATCHES, batches, compared, versions
from cifar100.base.text import aligned
from cifar100.base.values import check_whole
from cifar100.data.images import ImageSet
from cifar100.deploy.export import FORMATS, check_agreement, export_network, metadata
from cifar100.deploy.extra import require
from cifar100.deploy.quantization import CALIBRATIONS, layers, quantize
from cifar100.evaluation.evaluate_runs import check_none_failed, each_run
from cifar100.evaluation.open_run import OpenRun, open_run
from cifar100.record import find_runs

log = logging.getLogger(__name__)
FOLDER = "deploy"  # below a run's evaluation/
CALIBRATION_BATCH = 64
TOLERATED_LOSS = 0.01  # of top-1, by the float network


def export_run(run: OpenRun, format: str) -> dict[str, Any]:
    """Writes the run's network to evaluation/deploy/ in `format`, once its logits are found to agree.

    Returns:
        What export.json holds under the format's name: file, bytes, the largest difference of a logit over the largest
        logit, checkpoint and epoch, metadata and versions.

    Raises:
        UserError: a network that cannot be exported, or whose exported logits are others.
    """
    file = export_network(run.model, format, about(run))
    difference = check_agreement(run.model, file, format, _normalised(run, run.data.train[:16]))
    found = {
        "file": FORMATS[format],
        "bytes": len(file),
        "largest_difference": difference,
        "checkpoint": run.checkpoint,
        "epoch": run.epoch,
        "metadata": {key: value for key, value in about(run).items() if key != "class_names"},
        "versions": versions("torch", "onnx", "onnxscript", "onnxruntime"),
    }
    run.record.write_bytes(f"{FOLDER}/{FORMATS[format]}", file)
    earlier = run.record.read_json(f"{FOLDER}/export.json") or {}
    run.record.write_json(f"{FOLDER}/export.json", earlier | {format: found})
    log.info(
        "%s: %s bytes, logits agree to %.0e",
        run.record.evaluation_path(f"{FOLDER}/{FORMATS[format]}"),
        f"{len(file):,}",
        difference,
    )
    return found


def quantize_run(
    run: OpenRun, *, calibration: str = "minmax", images: int = 512, threads: int = 1, repeats: int = 100
) -> dict[str, Any]:
    """Writes the run's network in INT8 to evaluation/deploy/model_int8.onnx and, beside it, what that costs and gains.

    Activations are watched on `images` of the training images, drawn without repetition by a fixed seed and not
    augmented; test images are only counted on, by the float network and by this one.

    Returns:
        What quantization.json holds: accuracy on the test images and bytes of both; their paired difference (INT8 less
        float) with its 95% interval and McNemar's p; the latency of both in onnxruntime, measured in turns; the layers
        that are INT8 and float where it is run.
    """
    file = export_network(run.model, "onnx", about(run))
    small = quantize(file, _calibration(run, images), calibration=calibration)
    found = compared(run, {"float": file, "int8": small}, threads, repeats)
    found |= {
        "loses_more_than_a_point": found["difference"]["top1"] < -TOLERATED_LOSS,
        "layers": layers(small),
        "calibration": {"method": calibration, "images": min(images, len(run.data.train)), "split": "train"},
    }
    run.record.write_bytes(f"{FOLDER}/model_int8.onnx", small)
    run.record.write_json(f"{FOLDER}/quantization.json", found)
    if found["loses_more_than_a_point"]:
        others = [each for each in CALIBRATIONS if each != calibration]
        log.warning(
            "%s loses %.2f points of top-1 in INT8, more than one; try calibration=%s, or keep it in float",
            run.record.name,
            -100 * found["difference"]["top1"],
            " or ".join(others),
        )
    return found


def deploy_runs(run_dir: Any, deploy: Callable[[OpenRun], dict[str, Any]], **options: Any) -> None:
    """Deploys every run that `run_dir` names. Where some fail, the others go on.

    Raises:
        UserError: bad arguments, or a single run that fails.
        EvaluationFailed: some of several, with each one's reason.
    """
    runs = find_runs(run_dir)
    results, failed = each_run(runs, lambda run: deploy(open_run(run, **options)))
    if results and "int8" in next(iter(results.values())):
        log.info("%s", quantization_table(results))
    check_none_failed(runs, failed)


def quantization_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A line for each run: top-1 of both, the difference in points and McNemar's p, sizes, speed at each batch size."""
    header = ["run", "float", "INT8", "points", "p", "float kB", "INT8 kB", "float layers"]
    rows = [header + [f"speed at {size}" for size in LATENCY_BATCHES]]
    for path, found in results.items():
        paired = found["difference"]
        row = [Path(path).name, f"{found['float']['test/top1']:.2%}", f"{found['int8']['test/top1']:.2%}"]
        row += [f"{100 * paired['top1']:+.2f}", f"{paired['p']:.2g}"]
        row += [f"{found[each]['bytes'] / 1e3:,.0f}" for each in ("float", "int8")]
        row += [str(len(found["layers"]["float"])), *(f"{each['speedup']:.2f}x" for each in found["latency"])]
        rows.append(row)
    return "\n".join(aligned(rows))


def check_options(config: Mapping[str, Any], *counts: str) -> None:
    """Refuses in one line what is wrong whatever the run, before any is opened."""
    require("this command", "onnx", "onnxscript", "onnxruntime")
    for name in counts:
        check_whole(name, config[name])


def about(run: OpenRun) -> dict[str, str]:
    data = run.data
    return metadata(
        class_names=data.class_names,
        mean=data.mean,
        std=data.std,
        data=data.name,
        run=run.record.name,
        checkpoint=run.checkpoint,
        epoch=run.epoch,
    )


def _normalised(run: OpenRun, images: ImageSet) -> torch.Tensor:
    return torch.cat([batch.images for batch in batches(run, images, len(images))])


def _calibration(run: OpenRun, count: int) -> Iterator[np.ndarray]:
    drawn = torch.randperm(len(run.data.train), generator=torch.Generator().manual_seed(0))[:count].sort().values
    images = ImageSet(run.data.train.images[drawn], run.data.train.labels[drawn])
    for batch in batches(run, images, CALIBRATION_BATCH):
        yield batch.images.contiguous().numpy()
