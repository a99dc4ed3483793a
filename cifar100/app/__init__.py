"""Wires the steps of a command, of training here; the only package that imports all others."""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from cifar100.app.agreement import (
    check_same_experiment,
    check_same_images,
    compare_images_of_finished,
    keep_threads,
    warn_of_label,
    warn_of_threads,
)
from cifar100.app.assemble import build_accelerator, build_loop, build_model
from cifar100.app.checks import check, check_options
from cifar100.app.commands import demo, evaluate, export, hub, predict, prune, pull, quantize
from cifar100.app.description import description, log_result, objective, trained_on
from cifar100.app.sources import check_weights_used, name_shorter_run, weights_used
from cifar100.base.errors import OtherRun, Pruned
from cifar100.base.files import remove_empty
from cifar100.config import ConfigError, build, recipe
from cifar100.evaluation.costs import Costs, count_costs
from cifar100.evaluation.layers import layer_table
from cifar100.record import RunDirectory, describe_environment
from cifar100.training.faults import around_onednn, fail_together
from cifar100.training.outcome import device_name, hyperparameters, note_failure, summary, true_status

__all__ = ["demo", "evaluate", "export", "hub", "predict", "prune", "pull", "quantize", "train"]  # the commands
log = logging.getLogger(__name__)


def train(config: DictConfig) -> dict[str, Any]:
    """Trains what ``config`` composes, continues it where it was interrupted, or reports it where it is finished.

    With ``trainer.num_train_epochs=0`` counts what the network costs, and stops.

    Returns:
        The state reached, of :data:`cifar100.sweep.job.STATES`, and the objective of a search for hyper-parameters: the
        best top-1 accuracy on the held-out images, None without them; or the costs counted.

    Raises:
        ValueError: a choice that cannot be built, in one line.
        Interrupted, Diverged, OSError: see :class:`~cifar100.training.loop.Loop`; noted in the record.
    """
    hydra = HydraConfig.get()
    record, swept = RunDirectory(os.path.relpath(hydra.runtime.output_dir)), hydra.mode == RunMode.MULTIRUN
    if config.trainer.num_train_epochs == 0:
        return _count(config, record)
    try:
        check(config)
        if not config.force:
            check_same_experiment(config, record)
        if record.state() == "finished" and not config.force:
            compare_images_of_finished(config, record)
            log.info("%s is finished; force=true trains it again", record.path)
            warn_of_label(config, record)
            log_result(record)
            return {"state": "skipped", "objective": objective(record)}
        check_options(config)  # those of a finished run were good
        weights_used(config)  # where there are none, no run begins
        name_shorter_run(config, record)
        _train(config, record)
        return {"state": "finished", "objective": objective(record)}
    except Pruned as end:
        log.info("%s: %s", record.path, end)
        return {"state": "pruned"}
    except Exception as error:
        if swept and not isinstance(error, OtherRun):  # whose record is not of this job
            with suppress(ConfigError, OmegaConfBaseException):
                note_failure(record, error, description(config))
        raise
    finally:
        if not swept:  # a failed job of a sweep logs there
            remove_empty(record.path, Path(config.root))


def _train(config: DictConfig, record: RunDirectory) -> None:
    """Trains as one of the run's processes, of which the main one alone writes."""
    arguments = build(config.trainer)  # before the accelerator, whose state it resets
    accelerator = build_accelerator(config, record)
    with ExitStack() as held:
        with fail_together(accelerator):
            if accelerator.is_main_process:
                held.enter_context(record.lock())
                held.enter_context(true_status(record))
                if config.force:
                    record.clear()
                record.write_status("running")
                record.write_config(description(config))
        result = _fit(config, arguments, record, accelerator)
        with fail_together(accelerator):
            if accelerator.is_main_process:
                record.write_summary(result)
                record.write_status("finished")
    if accelerator.is_main_process:
        log_result(record)


def _fit(config: DictConfig, arguments: Any, record: RunDirectory, accelerator: Accelerator) -> dict[str, Any]:
    """Builds everything, trains, and returns the run's summary."""
    with fail_together(accelerator):
        model = build_model(config)
        costs = _costs(model)
        data = build(config.data)
        check_same_images(record, data)
        keep_threads(record)
        if accelerator.device.type == "cpu":
            warn_of_threads()
        if accelerator.is_main_process:
            counts = {"processes": accelerator.num_processes, "parameters": costs.parameters}
            counts["device"] = device_name(accelerator.device)
            if used := weights_used(config):
                check_weights_used(record, used)
                counts["weights"] = used
            environment = describe_environment()
            if fault := (environment["git"] or {}).get("fault"):
                log.warning("the commit is not in the record: %s", fault)
            record.write_environment(environment | counts | {"data": trained_on(data)})
            log.info("%s: %s parameters, %.1f M multiply-adds", record.path, f"{costs.parameters:,}", costs.macs / 1e6)
            log.info("on %s", counts["device"])
        accelerator.init_trackers(config.tracker.project, hyperparameters(recipe(config)))
        model.to(accelerator.device, memory_format=torch.channels_last)
    try:
        with around_onednn(model):
            loop = build_loop(config, arguments, record, model, data, accelerator)
            loop.judge = _judge()
            progress = loop.run()
    finally:
        for tracker in accelerator.trackers:  # end_training would part the processes before a sweep's next job
            tracker.finish()
    found = {"parameters": costs.parameters, "macs": costs.macs}
    if "sparsity" in progress.rows[-1]:
        found["nonzero_parameters"] = sum(int(each.count_nonzero()) for each in model.parameters())
    return summary(progress, accelerator.device) | found


def _judge() -> Callable[[dict[str, Any]], None] | None:
    """The judgement of a search on each epoch, where this run is one of its trials."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN or not hydra.sweeper._target_.endswith(".Search"):
        return None
    from cifar100.sweep.trials import judge  # here, since not every training is a trial

    return judge(Path(hydra.sweep.dir), hydra.job.num, build(hydra.sweeper.pruner))


def _count(config: DictConfig, record: RunDirectory) -> dict[str, Any]:
    """Counts what the network costs; printed by layers where it is the only one. No run is left."""
    try:
        check(config)
        check_options(config)
        costs = _costs(build_model(config))
        if HydraConfig.get().mode != RunMode.MULTIRUN:
            print(layer_table(costs), flush=True)
        return {"state": "counted", "parameters": costs.parameters, "macs": costs.macs}
    finally:
        remove_empty(record.path, Path(config.root))


def _costs(model: nn.Module) -> Costs:
    """Parameters and multiply-adds of one image."""
    return count_costs(model, (model.in_channels, model.resolution, model.resolution))
