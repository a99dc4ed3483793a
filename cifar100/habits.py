"""Names that other tools have for options of this one: typed here, they are answered with the names that hold here."""

import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from cifar100.base.errors import UserError
from cifar100.base.text import nearest
from cifar100.config import CONF

# By what is typed, dashes and case aside. A name may be followed by why, or by what to type in its place.
NAMES = {
    "optimizer.lr": "lr learning_rate base_lr trainer.lr trainer.learning_rate",
    "optimizer.weight_decay": "wd weight_decay decay trainer.weight_decay trainer.wd",
    "optimizer.momentum": "momentum trainer.momentum",
    "optimizer": "opt optim trainer.optim",
    "scheduler": "sched lr_scheduler lr_scheduler_type trainer.lr_scheduler_type",
    "scheduler.warmup_epochs": "warmup warmup_epochs warmup_ratio warmup_steps trainer.warmup_ratio "
    "trainer.warmup_steps trainer.warmup_epochs optimizer.warmup_epochs",
    "scheduler.min_lr": "min_lr eta_min",
    "trainer.num_train_epochs": "epoch epochs num_epochs max_epochs n_epochs num_train_epochs trainer.epochs "
    "trainer.max_epochs trainer.num_epochs",
    "trainer.per_device_train_batch_size": "batch batch_size bs train_batch_size trainer.batch_size data.batch_size "
    "trainer.train_batch_size trainer.per_gpu_train_batch_size",
    "trainer.per_device_eval_batch_size": "eval_batch_size val_batch_size test_batch_size trainer.eval_batch_size",
    "trainer.gradient_accumulation_steps": "accum accumulation gradient_accumulation_steps grad_accum accumulate "
    "trainer.accumulate_grad_batches",
    "trainer.max_grad_norm": "clip clip_grad grad_clip max_grad_norm gradient_clip_val trainer.gradient_clip_val",
    "trainer.label_smoothing_factor": "smoothing label_smoothing trainer.label_smoothing",
    "trainer.bf16": "amp bf16 precision mixed_precision trainer.precision trainer.amp",
    "trainer.fp16": "fp16 half",
    "trainer.torch_compile": "compile torch_compile torchcompile trainer.compile",
    "trainer.dataloader_num_workers": "workers num_workers trainer.num_workers data.num_workers",
    "model": "arch architecture net network backbone",
    "model.depths": "depths depth layers num_layers",
    "model.widths": "widths width channels",
    "model.width_multiplier": "width_mult width_multiplier",
    "model.drop_path": "drop_path drop_path_rate stochastic_depth",
    "head.dropout": "dropout drop_rate drop model.dropout",
    "norm": "normalization norm_layer model.norm",
    "activation": "act act_layer model.activation",
    "attention": "attn attn_layer model.attention",
    "augment": "aug augmentation transform transforms",
    "augment.mixup_alpha": "mixup mixup_alpha",
    "augment.cutmix_alpha": "cutmix cutmix_alpha",
    "augment.cutout": "cutout random_erasing",
    "data": "dataset",
    "data.path": "data_path data_dir data_root dataset_path data.dir data.root data_folder",
    "data.val_size": "val_size val_split validation_split val_ratio",
    "data.num_classes": "num_classes n_classes",
    "data.resolution": "img_size image_size input_size resolution",
    "ema_decay": "ema model_ema trainer.ema_decay",
    "swa_start": "swa trainer.swa swa_epoch_start",
    "seed": "random_seed manual_seed trainer.seed trainer.data_seed",
    "tracker": "logger report_to trainer.report_to trainer.logger wandb tensorboard",
    "study": "experiment_name exp exp_name project",
    "label": "name run_name trainer.run_name",
    "root": "output output_dir save_dir log_dir out outdir work_dir trainer.output_dir trainer.default_root_dir",
}
ANSWERS = {
    "resume": "the same command continues an interrupted run; force=true starts over",
    "resume_from_checkpoint": "the same command continues an interrupted run; force=true starts over",
    "trainer.resume_from_checkpoint": "the same command continues an interrupted run; force=true starts over",
    "gpus": "accelerate launch --num_processes N train.py ... uses N GPUs; one is used by itself",
    "devices": "accelerate launch --num_processes N train.py ... uses N GPUs; one is used by itself",
    "device": "a GPU is used where there is one; CUDA_VISIBLE_DEVICES= chooses, or hides it",
    "config": "python train.py experiment=<file in conf/experiment>, or --config-dir with a folder of your own",
    "eval": "python evaluate.py run_dir=multirun/<study>/<run> evaluates",
    "test": "python evaluate.py run_dir=multirun/<study>/<run> evaluates",
}
OPTION = re.compile(r"^(--?|[+~]{1,2})?([A-Za-z][\w.-]*)(?:=(.*))?$", re.DOTALL)
# Those of hydra's command line that stand with two dashes.
FLAGS = {
    "help", "hydra-help", "version", "cfg", "resolve", "package", "run", "multirun", "shell-completion", "config-path",
    "config-name", "config-dir", "experimental-rerun", "info",
}  # fmt: skip
WITH_VALUE = {
    "--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn", "--cfg", "-c", "--package", "-p",
    "--info", "-i", "--experimental-rerun",
}  # fmt: skip


def parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and everything else; hydra itself does not take the two in turns."""
    flags: list[str] = []
    others: list[str] = []
    for before, each in zip(["", *arguments], arguments, strict=False):
        of_flag = before in WITH_VALUE and not (
            before in ("--info", "-i") and "=" in each
        )  # whose value may be missing
        (flags if each.startswith("-") or of_flag else others).append(each)
    return flags, others


def check_habits(arguments: Sequence[str], command: str | None = None) -> None:
    """Refuses what other tools would understand, naming what it is called here.

    Args:
        arguments: of train, or of another ``command``, whose own options are not looked at.

    Raises:
        UserError: in one line.
    """
    if (command or _command()) != "train":
        return
    for index, argument in enumerate(arguments):
        match = OPTION.match(argument)
        dashes, name, value = match.groups() if match else ("", "", None)
        if not name or (dashes == "--" and name in FLAGS) or (dashes == "-") or (not dashes and value is None):
            continue
        key = name.replace("-", "_").lower()
        if dashes != "--" and (name in _top_level() or name.count(".") and key not in _by_habit()):
            continue
        if value is None:
            value = next(iter(arguments[index + 1 : index + 2]), "...")
        if key in ANSWERS:
            raise UserError(f"{argument}: {ANSWERS[key]}")
        if key in _by_habit():
            raise UserError(f"{argument}: here it is called {_by_habit()[key]}; {_example(_by_habit()[key], value)}")
        if dashes == "--":
            near = nearest(name, [*FLAGS, *_top_level()])
            cure = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UserError(f"{argument}: options are typed without dashes, as name=value{cure}")


def _example(name: str, value: str) -> str:
    """The option to type instead, with the value that was typed where it may be one of this option's."""
    fits = re.fullmatch(r"[\w.+\[\],-]+", value) and name not in (
        "scheduler.warmup_epochs",
        "data.val_size",
        "trainer.bf16",
    )
    return f"type {name}={value if fits else '...'}"


def _command() -> str:
    """The command that was typed: train for ``train.py`` and for ``python -m cifar100 train``."""
    return Path(sys.argv[0] if sys.argv else "").name.split(" ")[-1].removesuffix(".py")


@cache
def _by_habit() -> dict[str, str]:
    return {habit: name for name, habits in NAMES.items() for habit in habits.split()}


@cache
def _top_level() -> frozenset[str]:
    """The groups and the options of train.yaml that stand by themselves."""
    options = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    return frozenset({*options, *(folder.name for folder in CONF.iterdir() if folder.is_dir())} - {"defaults"})
