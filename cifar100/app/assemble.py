"""What a run is made of, from its composed configuration."""

import gc
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from torch import nn

from cifar100.config import build, build_network
from cifar100.data.loader import EvalLoader, TrainLoader
from cifar100.record import RunDirectory
from cifar100.sweep import elsewhere
from cifar100.training.loop import Loop
from cifar100.training.state import State, averaged


def build_model(config: DictConfig) -> nn.Module:
    """The network that ``config`` composes, its weights drawn from the run's seed.

    Raises:
        ValueError: what cannot be built, or was typed and has no effect, in one line.
    """
    torch.manual_seed(config.seed)
    return build_network(config, HydraConfig.get().overrides.task if HydraConfig.initialized() else ())


def build_accelerator(config: DictConfig, folder: Path) -> Accelerator:
    """A fresh one: what an earlier run of this process left behind, precision and compiled graphs, is forgotten."""
    AcceleratorState._reset_state()
    GradientState._reset_state()
    torch._dynamo.reset()
    gc.collect()
    precision = "bf16" if config.trainer.bf16 else "fp16" if config.trainer.fp16 else "no"
    return Accelerator(
        mixed_precision=precision, cpu=not torch.cuda.is_available(), log_with=config.tracker.name, project_dir=folder
    )


def build_loop(
    config: DictConfig, arguments: Any, record: RunDirectory, model: nn.Module, data: Any, accelerator: Accelerator
) -> Loop:
    """The training loop of ``config``, its model and data already built, ready to run.

    Raises:
        ValueError: an optimizer, schedule, loss or augmentation that cannot be built, in one line.
    """
    train_loader, val_loader = _loaders(config, arguments, data, accelerator)
    steps = train_loader.steps_per_epoch
    optimizer = build(config.optimizer)(model)
    scheduler = build(config.scheduler)(
        optimizer, num_training_steps=int(arguments.num_train_epochs) * steps, steps_per_epoch=steps
    )
    state = State(model, optimizer, scheduler, averaged(model, config.ema_decay), accelerator.scaler)
    loss = build(config.loss).to(accelerator.device)
    return Loop(
        record, state, train_loader, val_loader, loss, accelerator, arguments, seed=config.seed, quiet=elsewhere()
    )


def _loaders(
    config: DictConfig, arguments: Any, data: Any, accelerator: Accelerator
) -> tuple[TrainLoader, EvalLoader | None]:
    common = {
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
        **common,
    )
    if data.val is None:
        return train_loader, None
    return train_loader, EvalLoader(data.val, batch_size=arguments.per_device_eval_batch_size, **common)
