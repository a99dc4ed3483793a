"""Wires the steps of a command; the only file that imports all packages."""

import gc
import logging
import os
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from cifar100.config import MODEL_GROUPS, ConfigError, build, check_typed_choices, recipe
from cifar100.data.loader import EvalLoader, TrainLoader
from cifar100.evaluation.costs import count_costs
from cifar100.evaluation.evaluate_runs import evaluate_runs
from cifar100.evaluation.layers import layer_table
from cifar100.hub import local_runs
from cifar100.record import RunDirectory, describe_environment
from cifar100.sweep import elsewhere, remove_empty
from cifar100.training.average import averaged
from cifar100.training.loop import Loop
from cifar100.training.state import State
from cifar100.training.status import note_failure, true_status
from cifar100.training.step import Step
from cifar100.training.summary import hyperparameters, summary
from cifar100.training.together import together

log = logging.getLogger(__name__)
OF_THIS_MACHINE = ("data.path=", "data.cache_dir=", "root=")  # overrides that a record does not tell


def train(config: DictConfig) -> dict[str, Any]:
    """Trains what ``config`` composes, continues it where it was interrupted, or reports it where it is finished.

    With ``trainer.num_train_epochs=0`` counts what the network costs, and stops; prints it by layers where it is the
    only one.

    Returns:
        The state reached, of :data:`cifar100.sweep.job.STATES`, and the objective of a search for hyper-parameters: the
        best top-1 accuracy on the held-out images, None without them; or the costs counted.

    Raises:
        ValueError: a choice that cannot be built, in one line.
        Interrupted, Diverged, OSError: see :class:`~cifar100.training.loop.Loop`; noted in the record.
    """
    hydra = HydraConfig.get()
    record = RunDirectory(os.path.relpath(hydra.runtime.output_dir))
    swept, counted = hydra.mode == RunMode.MULTIRUN, config.trainer.num_train_epochs == 0
    try:
        check_typed_choices(config, hydra.overrides.task)
        _check(config)
        if counted:
            return _count(config, by_layers=not swept)
        if record.state() == "finished" and not config.force:
            log.info("%s is finished; force=true trains it again", record.path)
            _report(record)
            return {"state": "skipped", "objective": _objective(record)}
        _train(config, record)
        return {"state": "finished", "objective": _objective(record)}
    except Exception as error:
        if swept and not counted:
            with suppress(ConfigError, OmegaConfBaseException):
                note_failure(record, error, _description(config))
        raise
    finally:
        if not swept or counted:  # a failed job of a sweep logs there
            remove_empty(record.path, Path(config.root))


def evaluate(config: DictConfig) -> None:
    """Evaluates the runs that ``config.run_dir`` names and writes each one's evaluation/ folder.

    Raises:
        ValueError, OSError: a run that cannot be evaluated, in one line.
    """
    keys = ("checkpoint", "split", "precision", "batch_size", "latency", "samples")
    options = {key: config[key] for key in keys} | {"explain": _as_list(config.explain)}
    options["compare"] = None if config.compare is None else local_runs(str(config.compare))
    if OmegaConf.is_missing(config, "run_dir"):
        raise ValueError("run_dir is missing; name what to evaluate, such as run_dir=multirun/default")
    run_dir = local_runs(_as_list(config.run_dir))
    evaluate_runs(run_dir, data_path=config.data.path, cache_dir=config.data.cache_dir, **options)


def _as_list(value: Any) -> Any:
    """A list of a configuration as a plain one, anything else as it is."""
    return OmegaConf.to_object(value) if OmegaConf.is_list(value) else value


def report(config: DictConfig) -> None:
    """Reports the study that ``config.study`` names: writes <study>/report/.

    Raises:
        ValueError, OSError: a study that cannot be reported, in one line.
    """
    from cifar100.report.build import build_report  # here, since scipy's statistics would delay every training

    build_report(**OmegaConf.to_container(config))


def hub(config: DictConfig) -> None:
    """Pushes the run or study that ``config`` names to the Hugging Face Hub.

    Raises:
        ValueError, OSError: what cannot be pushed, and a Hub that refuses or does not answer, in one line.
    """
    from cifar100.hub.push import push  # here, as the report's parts that it makes cards of

    push(**OmegaConf.to_container(config))


def _train(config: DictConfig, record: RunDirectory) -> None:
    """Trains as one of the run's processes, of which the main one alone writes."""
    arguments = build(config.trainer)  # before the accelerator, whose state it resets
    accelerator = build_accelerator(config, record.path)
    with ExitStack() as held:
        with together(accelerator):
            if accelerator.is_main_process:
                held.enter_context(record.lock())
                held.enter_context(true_status(record))
                if config.force:
                    record.clear()
                record.write_status("running")
                record.write_config(_description(config))
        result = _fit(config, arguments, record, accelerator)
        with together(accelerator):
            if accelerator.is_main_process:
                record.write_summary(result)
                record.write_status("finished")
    if accelerator.is_main_process:
        _report(record)


def _fit(config: DictConfig, arguments: Any, record: RunDirectory, accelerator: Accelerator) -> dict[str, Any]:
    """Builds everything, trains, and returns the run's summary."""
    with together(accelerator):
        model = build_model(config)
        costs = count_costs(model, (model.in_channels, model.resolution, model.resolution))
        data = build(config.data)
        if accelerator.is_main_process:
            counts = {"processes": accelerator.num_processes, "parameters": costs.parameters}
            images = {"name": data.name, "fingerprint": data.fingerprint}
            record.write_environment(describe_environment() | counts | {"data": images})
            log.info("%s: %s parameters, %.1f M multiply-adds", record.path, f"{costs.parameters:,}", costs.macs / 1e6)
        if config.tracker.name:
            accelerator.init_trackers(config.tracker.project, hyperparameters(recipe(config)))
        model.to(accelerator.device, memory_format=torch.channels_last)
    try:
        progress = build_loop(config, arguments, record, model, data, accelerator).run()
    finally:
        for tracker in accelerator.trackers:  # end_training would part the processes before a sweep's next job
            tracker.finish()
    return summary(progress, accelerator.device) | {"parameters": costs.parameters, "macs": costs.macs}


def build_loop(
    config: DictConfig, arguments: Any, record: RunDirectory, model: nn.Module, data: Any, accelerator: Accelerator
) -> Loop:
    """The training loop of ``config``, its model and data already built, ready to run.

    Raises:
        ValueError: an optimizer, schedule, loss or augmentation that cannot be built, in one line.
    """
    train_loader, val_loader = _loaders(config, arguments, data, accelerator)
    epochs, steps = int(arguments.num_train_epochs), train_loader.steps_per_epoch
    optimizer = build(config.optimizer)(model)
    scheduler = build(config.scheduler)(optimizer, num_training_steps=epochs * steps, steps_per_epoch=steps)
    loss = build(config.loss).to(accelerator.device)
    take_step = Step(
        model,
        accelerator.prepare_optimizer(optimizer),
        scheduler,
        loss,
        accelerator,
        compile_model=arguments.torch_compile,
        max_grad_norm=arguments.max_grad_norm,
    )
    return Loop(
        record,
        State(model, optimizer, scheduler, averaged(model, config.ema_decay), accelerator.scaler),
        take_step,
        train_loader,
        val_loader,
        loss,
        accelerator,
        epochs=epochs,
        seed=config.seed,
        val_batch_size=arguments.per_device_eval_batch_size,
        track=lambda row: accelerator.log(row, step=row["epoch"]),
        quiet=arguments.disable_tqdm or elsewhere(),
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


def build_model(config: DictConfig) -> nn.Module:
    """The network that ``config`` composes, its weights drawn from the run's seed. Raises ValueError in one line."""
    torch.manual_seed(config.seed)
    return build(config.model)


def _check(config: DictConfig) -> None:
    """Refuses what no other part looks at before the run is under way. Raises ValueError in one line."""
    if isinstance(config.seed, bool) or not isinstance(config.seed, int) or not 0 <= config.seed < 2**63:
        raise ValueError(f"seed={config.seed} must be a whole number from 0 to 2**63 - 1")
    if config.tracker.name and find_spec(config.tracker.name) is None:  # accelerate would go on without it
        raise ValueError(f"tracker={config.tracker.name} is not installed; pip install {config.tracker.name}")
    choices = HydraConfig.get().runtime.choices
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        for group in ("hydra/launcher", "hydra/sweeper"):
            if choices.get(group) != "basic":
                raise ValueError(f"{group}={choices.get(group)} cannot serve a run of several processes; leave one out")
    if not isinstance(config.force, bool):
        raise ValueError(f"force={config.force} must be true or false")


def _count(config: DictConfig, *, by_layers: bool) -> dict[str, Any]:
    model = build_model(config)
    costs = count_costs(model, (model.in_channels, model.resolution, model.resolution))
    if by_layers:
        print(layer_table(costs), flush=True)
    return {"state": "counted", "parameters": costs.parameters, "macs": costs.macs}


def _objective(record: RunDirectory) -> float | None:
    best = (record.summary() or {}).get("best")
    return best["val/top1"] if best else None


def _description(config: DictConfig) -> dict[str, Any]:
    """The record's config.yaml: the recipe, without paths of this machine, what the choices and the run are called."""
    content = recipe(config)
    content["data"] = {key: value for key, value in content["data"].items() if key not in ("path", "cache_dir")}
    hydra = HydraConfig.get()
    choices = OmegaConf.to_container(hydra.runtime.choices)
    groups = (*MODEL_GROUPS, "data", "augment", "loss", "optimizer", "scheduler", "trainer", "experiment", "row")
    return content | {
        "label": config.label,
        "choices": {group: choices.get(group) for group in groups},
        "overrides": [each for each in hydra.overrides.task if not each.lstrip("+").startswith(OF_THIS_MACHINE)],
    }


def _report(record: RunDirectory) -> None:
    summary = record.summary()
    for name in ("best", "last"):
        row = summary and summary.get(name)
        if row:
            metrics = "  ".join(f"{key} {row[key]:.4f}" for key in sorted(row) if "/" in key)
            log.info("%s epoch %d: %s", name, row["epoch"], metrics)
