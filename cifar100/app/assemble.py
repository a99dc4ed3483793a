"""The parts of a run, built from its composed configuration."""

import copy
import gc
import logging
import sys
from inspect import signature
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from torch import nn

from cifar100.app.sources import freeze, load_teacher, start_from
from cifar100.app.trackers import RunTracker
from cifar100.base.errors import UserError
from cifar100.base.values import check_whole
from cifar100.config import build, build_network
from cifar100.data.images import ImageData
from cifar100.data.loader import EvalLoader, TrainLoader
from cifar100.deploy.pruning import prune_channels
from cifar100.optim.groups import scale_backbone
from cifar100.record import RunDirectory
from cifar100.sweep import elsewhere
from cifar100.training.arguments import length
from cifar100.training.loop import Loop
from cifar100.training.network import MovingAverage, StochasticAverage, Teacher, no_hints
from cifar100.training.pruning import NoPruning
from cifar100.training.state import State

log = logging.getLogger(__name__)


def build_model(config: DictConfig) -> nn.Module:
    """The network that ``config`` composes, its weights drawn from the run's seed.

    Raises:
        ValueError: what cannot be built, or was typed and has no effect, in one line.
    """
    torch.manual_seed(config.seed)
    return build_network(config, HydraConfig.get().overrides.task if HydraConfig.initialized() else ())


def build_accelerator(config: DictConfig, record: RunDirectory) -> Accelerator:
    """A fresh one: what an earlier run of this process left behind, precision and compiled graphs, is forgotten."""
    AcceleratorState._reset_state()
    GradientState._reset_state()
    if "torch._dynamo" in sys.modules:  # else nothing was compiled, and its import would take as long as torch's
        torch._dynamo.reset()
    gc.collect()
    precision = "bf16" if config.trainer.bf16 else "fp16" if config.trainer.fp16 else "no"
    name, project = config.tracker.name, config.tracker.project
    tracker = RunTracker(name, str(project), record) if name else None
    return Accelerator(mixed_precision=precision, cpu=not torch.accelerator.is_available(), log_with=tracker)


def build_loop(
    config: DictConfig, arguments: Any, record: RunDirectory, model: nn.Module, data: Any, accelerator: Accelerator
) -> Loop:
    """The training loop of ``config``, its model and data already built, ready to run.

    Raises:
        ValueError: an optimizer, schedule, loss or augmentation that cannot be built, in one line.
    """
    train_loader, val_loader = _loaders(config, arguments, data, accelerator)
    _check_single_images(model, train_loader.smallest_batch, arguments)
    prune = build(config.pruning)
    channels = prune if getattr(prune, "func", None) is prune_channels else None
    start_from(model, config.init_from, channels)
    frozen = freeze(model, config.freeze, config.init_from)
    steps = train_loader.steps_per_epoch
    optimizer = build(config.optimizer)(model)
    scale_backbone(optimizer, model, config.backbone_lr_factor)
    epochs, steps_in_all = length(arguments, steps)
    scheduler = build(config.scheduler)(optimizer, num_training_steps=steps_in_all, steps_per_epoch=steps)
    average = _average(config, model, epochs)
    pruning = prune(steps_in_all, steps) if prune and not channels else NoPruning()
    state = State(model, optimizer, scheduler, average, accelerator.scaler, frozen)
    hints, size = no_hints, arguments.per_device_train_batch_size
    if "teacher" in config.loss:
        teacher = load_teacher(config.loss.teacher, model, data)
        hints = Teacher(teacher, accelerator, compile_model=arguments.torch_compile, batch_size=size)
    if (processes := accelerator.num_processes) > 1:
        images = processes * size * arguments.gradient_accumulation_steps
        log.info("%d processes: steps of %d images in all, at the learning rate that one has", processes, images)
    return Loop(
        record,
        state,
        train_loader,
        val_loader,
        build_loss(config, data).to(accelerator.device),
        accelerator,
        arguments,
        seed=config.seed,
        hints=hints,
        pruning=pruning,
        early_stopping_patience=_patience(config.early_stopping_patience, data.val),
        quiet=elsewhere(),
    )


def _average(config: DictConfig, model: nn.Module, epochs: int) -> MovingAverage | StochasticAverage | None:
    if config.swa_start is None:
        return None if config.ema_decay is None else MovingAverage(model, config.ema_decay, config.ema_warmup)
    if config.ema_decay is not None or config.freeze is not None:
        other = "freeze" if config.ema_decay is None else "ema_decay"
        raise UserError(f"swa_start={config.swa_start} and {other}={config[other]} do not go together; leave one out")
    return StochasticAverage(model, config.swa_start, epochs)


def build_loss(config: DictConfig, data: ImageData) -> nn.Module:
    """The loss; one that takes `class_counts` gets the training images of each class. Raises what `build` does."""
    options: dict[str, Any] = OmegaConf.to_container(config.loss, resolve=True)
    options.pop("teacher", None)
    try:
        wanted = "class_counts" in signature(get_object(options["_target_"])).parameters
    except (ImportError, ValueError):  # build says it better
        wanted = False
    counts = torch.bincount(data.train.labels, minlength=len(data.class_names)).tolist()
    return build(options, **({"class_counts": counts} if wanted else {}))


def _check_single_images(model: nn.Module, smallest_batch: int, arguments: Any) -> None:
    """Refuses a batch of one image where a batch norm would have one number to take a deviation of.

    Raises:
        ValueError: with a batch size that leaves more.
    """
    if smallest_batch > 1 or not any(isinstance(each, nn.BatchNorm2d) for each in model.modules()):
        return
    trial = copy.deepcopy(model).train()
    try:
        with torch.no_grad():
            trial(torch.zeros(1, trial.in_channels, trial.resolution, trial.resolution))
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        size = arguments.per_device_train_batch_size
        raise UserError(
            f"trainer.per_device_train_batch_size={size} leaves a batch of one image, of which a batch norm behind a "
            f"1x1 map cannot take a deviation; use another size, such as {max(2, size - 1)}, "
            "trainer.dataloader_drop_last=true, norm=gn, or fewer stages"
        ) from None


def _patience(value: Any, held_out: Any) -> int | None:
    if value is None:
        return None
    check_whole("early_stopping_patience", value, cure=", or null for no such end")
    if held_out is None:
        raise UserError("early_stopping_patience needs held-out images; use data.val_size=5000 or leave it out")
    return value


def _loaders(
    config: DictConfig, arguments: Any, data: Any, accelerator: Accelerator
) -> tuple[TrainLoader, EvalLoader | None]:
    options = {
        "mean": data.mean,
        "std": data.std,
        "num_processes": accelerator.num_processes,
        "process_index": accelerator.process_index,
        "num_workers": arguments.dataloader_num_workers,
        "device": accelerator.device,
    }
    train_loader = TrainLoader(
        data.train,
        build(config.augment),
        num_classes=len(data.class_names),
        seed=config.seed,
        batch_size=arguments.per_device_train_batch_size,
        accumulation=arguments.gradient_accumulation_steps,
        drop_last=arguments.dataloader_drop_last,
        **options,
    )
    if data.val is None:
        return train_loader, None
    return train_loader, EvalLoader(data.val, batch_size=arguments.per_device_eval_batch_size, **options)
