"""Run directories of runs that never ran: complete, evaluated, consistent in themselves, any number of rows and seeds.

`write_run` writes one, `write_study` a table of them. All numbers follow from the arguments, so two calls agree.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from cifar100.record import RunDirectory
from cifar100.report.document.words import load_words
from cifar100.report.records.study import Study
from cifar100.report.tables.class_tables import per_class_tables
from cifar100.report.tables.comparison import ablation_table, main_table
from cifar100.report.tables.runs import runs_table
from cifar100.report.tables.settings import composition_table, hyperparameter_table, recipe_table
from cifar100.report.tables.table import Table

IMAGES = 100  # of each class
FINGERPRINT = "7dd067b4db6ec1d846a63c4401c18d48a0aba3b35e737047a3cf81cdeff60da3"
_NORM = {"_target_": "torch.nn.BatchNorm2d", "_partial_": True, "eps": 1e-5, "momentum": 0.1}
_ACTIVATION = {"_target_": "torch.nn.ReLU", "_partial_": True}
CONV = {
    "_target_": "cifar100.models.mixer.conv.ConvMixer", "_partial_": True, "kernel_size": 3, "groups": 1, "dilation": 1
}  # fmt: skip
GHOST = {
    "_target_": "cifar100.models.mixer.ghost.GhostModule", "_partial_": True, "ratio": 2, "cheap_kernel_size": 3
}  # fmt: skip
IDENTITY = {"_target_": "torch.nn.Identity", "_partial_": True}
ADAMW = {"_target_": "cifar100.optim.adamw.adamw", "_partial_": True, "lr": 0.001, "weight_decay": 0.05}
MODEL = {
    "_target_": "cifar100.models.network.Network",
    "stem": {
        "_target_": "cifar100.models.stem.conv.ConvStem", "_partial_": True, "kernel_size": 3, "conv_stride": 1,
        "pool": False, "norm": _NORM, "activation": _ACTIVATION,
    },
    "stage": {
        "_target_": "cifar100.models.stage.strided.StridedStage", "_partial_": True,
        "block": {
            "_target_": "cifar100.models.block.basic.BasicBlock", "_partial_": True, "mixer": CONV, "norm": _NORM,
            "activation": _ACTIVATION, "attention": IDENTITY, "attention_position": "standard",
            "shortcut": "projection",
        },
    },
    "head": {
        "_target_": "cifar100.models.head.linear.LinearHead", "_partial_": True, "norm": None, "activation": None,
        "pooled_norm": None, "dropout": 0.0, "bias": True,
    },
    "init": {
        "_target_": "cifar100.models.init.kaiming.kaiming", "_partial_": True, "mode": "fan_out",
        "zero_last_norm": False,
    },
    "depths": [3, 3, 3], "widths": [16, 32, 64], "stem_width": None, "width_multiplier": 1.0, "strides": None,
    "drop_path": 0.0, "in_channels": 3, "num_classes": 100, "resolution": 32,
}  # fmt: skip
CONFIG = {
    "model": MODEL,
    "data": {
        "_target_": "cifar100.data.cifar.read_cifar100", "name": "cifar100", "val_size": 0, "num_classes": 100,
        "in_channels": 3, "resolution": 32,
    },
    "augment": {
        "_target_": "cifar100.data.augment.Augment", "padding": 4, "flip": True, "policy": None, "cutout": 0,
        "mixup_alpha": 0.0, "cutmix_alpha": 0.0,
    },
    "loss": {"_target_": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.0},
    "optimizer": {
        "_target_": "cifar100.optim.sgd.sgd", "_partial_": True, "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0005,
        "nesterov": False, "decay_norm_and_bias": True,
    },
    "scheduler": {
        "_target_": "cifar100.optim.cosine.cosine", "_partial_": True, "warmup_epochs": 0, "min_lr": 0.0
    },
    "trainer": {
        "_target_": "cifar100.training.arguments.training_arguments", "num_train_epochs": 5,
        "per_device_train_batch_size": 128, "per_device_eval_batch_size": 256, "gradient_accumulation_steps": 1,
        "max_grad_norm": 0.0, "label_smoothing_factor": 0.0, "bf16": True, "fp16": False, "torch_compile": True,
        "dataloader_drop_last": False, "dataloader_num_workers": 0, "disable_tqdm": False,
    },
    "ema_decay": None,
}  # fmt: skip
CHOICES = {
    "model": "resnet20", "norm": "bn", "activation": "relu", "attention": "none", "mixer": "conv",
    "downsample": "conv2x2", "stem": "conv3x3", "head": "linear", "init": "kaiming", "stage": "strided",
    "block": "basic", "data": "cifar100", "augment": "standard", "loss": "cross_entropy", "optimizer": "sgd",
    "scheduler": "cosine", "trainer": "fast", "experiment": None, "row": None,
}  # fmt: skip


def attention(name: str, class_name: str = "", **options: Any) -> dict[str, Any]:
    """A resolved attention, such as `attention("eca", kernel_size=3)`."""
    target = f"cifar100.models.attention.{name}.{class_name or name.title()}"
    return {"_target_": target, "_partial_": True, **options}


def with_changes(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with the values of dotted keys replaced: `{"model.stage.block.mixer": GHOST}`."""
    changed = copy.deepcopy(config)
    for key, value in changes.items():
        *above, last = key.split(".")
        node = changed
        for part in above:
            node = node[part]
        node[last] = copy.deepcopy(value)
    return changed


def write_run(
    folder: Path,
    *,
    seed: int = 0,
    top1: float = 0.6,
    label: str | None = None,
    row: str | None = None,
    changes: dict[str, Any] | None = None,
    choices: dict[str, str] | None = None,
    epochs: int = 5,
    classes: int = 100,
    parameters: int = 278_324,
    macs: int = 41_224_448,
    latency_s: float | None = None,
    evaluation: dict[str, Any] | None = None,
    state: str = "finished",
    evaluated: bool = True,
    name: str | None = None,
    class_names: list[str] | None = None,
) -> RunDirectory:
    """One run below the study `folder`, named after its configuration and seed.

    Args:
        top1: the expected test accuracy; the record's is drawn around it, and says what its confusion matrix says.
        changes: dotted keys of config.yaml and their values.
        choices: of config.yaml, instead of the defaults.
        evaluation: further or other entries of evaluation/metrics.json.
    """
    config = with_changes(CONFIG, {"trainer.num_train_epochs": epochs, **(changes or {})}) | {"seed": seed}
    digest = hashlib.sha256(json.dumps([config, label], sort_keys=True).encode()).hexdigest()[:8]
    run = RunDirectory(folder / (name or f"basic-d3-3-3-w16-32-64-e{epochs}-seed{seed}-{digest}"))
    run.write_config(config | {"label": label, "choices": CHOICES | {"row": row} | (choices or {})})
    run.write_status(state, **({"error": "ValueError: widths must be positive"} if state == "failed" else {}))
    run.write_environment(_environment(parameters))
    rng = numpy.random.default_rng(int(digest, 16))
    rows = _epochs(epochs, top1, rng)
    run.write_metrics(rows)
    if state == "finished":
        seconds = sum(each["epoch_s"] for each in rows)
        counts = {"parameters": parameters, "macs": macs}
        run.write_summary(
            {"best": None, "last": rows[-1], "epochs": epochs, "train_s": seconds, "memory_bytes": 10**9} | counts
        )
    if evaluated and state == "finished":
        names = class_names or [f"class_{index}" for index in range(classes)]
        timed = {} if latency_s is None else {"latency_s": latency_s, "images_per_s": 3 / latency_s}
        measured = {"parameters": parameters, "macs": macs, "epoch": epochs} | timed | (evaluation or {})
        _write_evaluation(run, names, top1, measured, rng)
    return run


def write_study(
    folder: Path, *, rows: int = 8, seeds: int = 3, effect: float = 0.01, labelled: bool = True, **options: Any
) -> Path:
    """A study of `rows` x `seeds` runs: the row of index i has i more channels and is expected to be i * `effect`
    better; runs of one seed rise and fall together, as in real studies. Returns its folder."""
    for index in range(rows):
        for seed in range(seeds):
            luck = float(numpy.random.default_rng(seed).normal(0, 0.004))
            write_run(
                folder,
                seed=seed,
                top1=0.6 + index * effect + luck,
                label=f"Design {index}" if labelled else None,
                row=f"main_{index:02}_design" if labelled else None,
                changes={"model.widths": [16 + index, 32, 64]} | options.get("changes", {}),
                parameters=278_324 + 4_000 * index,
                macs=41_224_448 + 900_000 * ((index * 5) % 7),
                latency_s=0.002 + 0.0003 * ((index * 3) % 5),
                **{key: value for key, value in options.items() if key != "changes"},
            )
    return folder


def report_tables(study: Study, language: str = "en", ablations: Sequence[Study] = ()) -> list[Table]:
    """The tables of a report, each with an id of its own."""
    words = load_words(language)
    builders = (recipe_table, hyperparameter_table, composition_table, main_table)
    tables = [*(builder(study, words) for builder in builders), *per_class_tables(study, words)]
    tables += [ablation_table(each, words, f"ablation-{place}") for place, each in enumerate(ablations, 1)]
    return [
        *tables,
        runs_table(study, words),
        *(runs_table(each, words, f"runs-{place}") for place, each in enumerate(ablations, 1)),
    ]


def _environment(parameters: int) -> dict[str, Any]:
    return {
        "git": {"commit": "b245006baf82f730580c142ec3104a51f56a75a1", "dirty": False},
        "versions": {"python": "3.11.7", "torch": "2.14.1", "numpy": "2.4.6"},
        "hardware": {
            "platform": "Linux x86_64", "cpu": "A processor", "cpu_cores": 2, "cpu_cores_usable": 2, "threads": 1,
            "memory_bytes": 2**34, "cuda": None, "gpus": [],
        },
        "processes": 1,
        "parameters": parameters,
        "data": {"name": "cifar100", "fingerprint": FINGERPRINT},
    }  # fmt: skip


def _epochs(count: int, top1: float, rng: numpy.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for epoch in range(1, count + 1):
        share = 1 - (1 - epoch / count) ** 2
        reached = max(0.01, top1 * share + float(rng.normal(0, 0.005)))
        rows.append(
            {
                "epoch": epoch, "train/loss": 4.6 - 3.4 * share, "train/top1": min(1.0, reached * 1.05),
                "val/loss": 4.6 - 3.2 * share, "val/top1": min(1.0, reached), "val/top5": min(1.0, reached + 0.25),
                "lr": 0.1 * (1 - epoch / count), "epoch_s": 120.0 + float(rng.uniform(0, 5)), "images_per_s": 410.0,
            }
        )  # fmt: skip
    return rows


def _write_evaluation(
    run: RunDirectory, names: list[str], top1: float, measured: dict[str, Any], rng: numpy.random.Generator
) -> None:
    count = len(names)
    skill = numpy.clip(top1 + numpy.random.default_rng(0).normal(0, 0.15, count), 0.02, 0.98)
    skill = numpy.clip(skill + top1 - skill.mean(), 0, 1)
    matrix = numpy.zeros((count, count), dtype=int)
    for true in range(count):
        right = int(rng.binomial(IMAGES, skill[true]))
        near = numpy.array([0.0 if each == true else 1 / (1 + abs(each - true)) for each in range(count)])
        matrix[true] = rng.multinomial(IMAGES - right, near / near.sum())
        matrix[true, true] = right
    right = matrix.diagonal()
    five = right + (IMAGES - right) // 2
    total = count * IMAGES
    run.write_csv("confusion.csv", ["true class", *names], [[n, *row] for n, row in zip(names, matrix, strict=True)])
    predicted = matrix.sum(axis=0)
    header = ["class", "name", "superclass", "n", "top1", "top5", "precision"]
    rows = [
        [index, name, f"group_{index // 5}", IMAGES, right[index] / IMAGES, five[index] / IMAGES,
         right[index] / predicted[index] if predicted[index] else None]
        for index, name in enumerate(names)
    ]  # fmt: skip
    run.write_csv("per_class.csv", header, rows)
    common = {
        "test/top1": float(right.sum() / total), "test/top5": float(five.sum() / total), "test/loss": 1.5,
        "test/ece": 0.03, "n": total, "checkpoint": "last", "precision": "bf16", "data": "cifar100",
        "data_fingerprint": FINGERPRINT, "uncounted_operators": {}, "git": {"commit": "b245006", "dirty": False},
    }  # fmt: skip
    run.write_json("metrics.json", common | measured)
