"""Wires the steps of a command; the only package that imports all others."""

import logging
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
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
from cifar100.app.description import description, log_result, objective, tracker_options, trained_on
from cifar100.app.prediction import predict_command
from cifar100.app.sources import check_weights_used, name_shorter_run, weights_used
from cifar100.base.errors import OtherRun, UserError
from cifar100.config import ConfigError, build, recipe
from cifar100.evaluation.costs import Costs, count_costs
from cifar100.evaluation.evaluate_runs import evaluate_runs
from cifar100.evaluation.layers import layer_table
from cifar100.hub import local_runs
from cifar100.record import RunDirectory, describe_environment
from cifar100.sweep import remove_empty
from cifar100.training.faults import around_onednn, fail_together
from cifar100.training.outcome import device_name, hyperparameters, note_failure, summary, true_status

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
    except Exception as error:
        if swept and not isinstance(error, OtherRun):  # whose record is not of this job
            with suppress(ConfigError, OmegaConfBaseException):
                note_failure(record, error, description(config))
        raise
    finally:
        if not swept:  # a failed job of a sweep logs there
            remove_empty(record.path, Path(config.root))


def evaluate(config: DictConfig) -> None:
    """Evaluates the runs that ``config.run_dir`` names and writes each one's evaluation/ folder.

    Raises:
        ValueError, OSError: a run that cannot be evaluated, in one line.
    """
    keys = ("checkpoint", "split", "precision", "batch_size", "latency", "samples")
    options = {key: config[key] for key in keys} | {"explain": _as_list(config.explain)}
    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name what to evaluate, such as run_dir=multirun/default")
    if config.compare is not None and not isinstance(config.compare, str):
        raise UserError(f"compare={config.compare} must name one run, such as compare=multirun/main/<run>")
    options["compare"] = local_runs(config.compare)
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


def pull(config: DictConfig) -> None:
    """Fetches the network that ``config.repo_id`` names from the Hugging Face Hub and prints its run directory.

    Raises:
        UserError: in one line: no such repository, one that is refused, or a copy that would stand on something.
    """
    from cifar100.hub.pull import pull_to

    if OmegaConf.is_missing(config, "repo_id"):
        raise UserError("repo_id is missing; name what to fetch, such as repo_id=<user>/<name>")
    print(pull_to(config.repo_id, config.revision, config.to))


def predict(config: DictConfig) -> None:
    """Prints what the network that ``config.run_dir`` names takes the pictures ``config.images`` for.

    Raises:
        ValueError, OSError: a network or a picture that is not there or cannot be read, in one line.
    """
    for name, example in (("run_dir", "multirun/<study>/<run>"), ("images", "cat.png")):
        if OmegaConf.is_missing(config, name):
            raise UserError(f"{name} is missing; add {name}={example}")
    predict_command(**OmegaConf.to_container(config))


def export(config: DictConfig) -> None:
    """Exports the runs that ``config.run_dir`` names; writes each one's evaluation/deploy/.

    Raises:
        ValueError, OSError: a run that cannot be exported, or a package that is missing, in one line.
    """
    from cifar100.app.deployment import check_options, each_run, export_run

    if config.format not in ("onnx", "torch_export"):
        raise UserError(f"format={config.format} must be one of onnx, torch_export")
    if config.format == "onnx":
        check_options(config)
    each_run(_runs_of(config), lambda run: export_run(run, config.format), **_sources(config))


def quantize(config: DictConfig) -> None:
    """Quantises the runs that ``config.run_dir`` names to INT8; writes each one's evaluation/deploy/.

    Raises:
        ValueError, OSError: a run that cannot be quantised, or a package that is missing, in one line.
    """
    from cifar100.app.deployment import check_options, each_run, quantize_run

    check_options(config, "images", "threads", "repeats")
    options = {key: config[key] for key in ("calibration", "images", "threads", "repeats")}
    each_run(_runs_of(config), lambda run: quantize_run(run, **options), **_sources(config))


def _runs_of(config: DictConfig) -> Any:
    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name one or several runs, such as run_dir=multirun/default")
    return local_runs(_as_list(config.run_dir))


def _sources(config: DictConfig) -> dict[str, Any]:
    if config.checkpoint not in ("best", "last"):
        raise UserError(f"checkpoint={config.checkpoint} must be best or last")
    return {"checkpoint": config.checkpoint, "data_path": config.data.path, "cache_dir": config.data.cache_dir}


def _train(config: DictConfig, record: RunDirectory) -> None:
    """Trains as one of the run's processes, of which the main one alone writes."""
    arguments = build(config.trainer)  # before the accelerator, whose state it resets
    accelerator = build_accelerator(config, record.path)
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
        if config.tracker.name:
            options = tracker_options(record)
            accelerator.init_trackers(config.tracker.project, hyperparameters(recipe(config)), options)
        model.to(accelerator.device, memory_format=torch.channels_last)
    try:
        with around_onednn(model):
            progress = build_loop(config, arguments, record, model, data, accelerator).run()
    finally:
        for tracker in accelerator.trackers:  # end_training would part the processes before a sweep's next job
            tracker.finish()
    return summary(progress, accelerator.device) | {"parameters": costs.parameters, "macs": costs.macs}


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
