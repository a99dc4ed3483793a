"""The commands on runs that are there: each takes what was composed and hands on plain arguments."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.app.prediction import predict_command
from cifar100.base.errors import UserError
from cifar100.evaluation.evaluate_runs import evaluate_runs
from cifar100.hub import local_runs


def evaluate(config: DictConfig) -> None:
    """Evaluates the runs that ``config.run_dir`` names and writes each one's evaluation/ folder.

    Raises:
        ValueError, OSError: a run that cannot be evaluated, in one line.
    """
    keys = ("checkpoint", "split", "precision", "batch_size", "latency", "samples", "tta", "ensemble")
    options = {key: config[key] for key in keys} | {"explain": _as_list(config.explain)}
    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name what to evaluate, such as run_dir=multirun/default")
    if config.compare is not None and not isinstance(config.compare, str):
        raise UserError(f"compare={config.compare} must name one run, such as compare=multirun/main/<run>")
    options["compare"] = local_runs(config.compare)
    run_dir = local_runs(_as_list(config.run_dir))
    evaluate_runs(run_dir, data_path=config.data.path, cache_dir=config.data.cache_dir, **options)


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


def demo(config: DictConfig) -> None:
    """Serves a page to try the networks on that ``config.run_dir`` names, until it is interrupted.

    Raises:
        ValueError, OSError: a network that is not there, or a package that is missing, in one line.
    """
    from cifar100.app.demo_page import demo_command

    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name what to try, such as run_dir=multirun/<study>/<run>")
    demo_command(**OmegaConf.to_container(config))


def export(config: DictConfig) -> None:
    """Exports the runs that ``config.run_dir`` names; writes each one's evaluation/deploy/.

    Raises:
        ValueError, OSError: a run that cannot be exported, or a package that is missing, in one line.
    """
    from cifar100.app.deployment import check_options, deploy_runs, export_run

    if config.format not in ("onnx", "torch_export"):
        raise UserError(f"format={config.format} must be one of onnx, torch_export")
    if config.format == "onnx":
        check_options(config)
    deploy_runs(_runs_of(config), lambda run: export_run(run, config.format), **_sources(config))


def quantize(config: DictConfig) -> None:
    """Quantises the runs that ``config.run_dir`` names to INT8; writes each one's evaluation/deploy/.

    Raises:
        ValueError, OSError: a run that cannot be quantised, or a package that is missing, in one line.
    """
    from cifar100.app.deployment import check_options, deploy_runs, quantize_run

    check_options(config, "images", "threads", "repeats")
    options = {key: config[key] for key in ("calibration", "images", "threads", "repeats")}
    deploy_runs(_runs_of(config), lambda run: quantize_run(run, **options), **_sources(config))


def prune(config: DictConfig) -> None:
    """Prunes the run that ``config.run_dir`` names: trains another from its weights, evaluates and compares it.

    Raises:
        ValueError, OSError: a run that cannot be pruned, or a package that is missing, in one line.
    """
    from cifar100.app.deployment import check_options
    from cifar100.app.pruning import prune_run

    check_options(config, "threads", "repeats")
    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name one run, such as run_dir=multirun/main/<run>")
    prune_run(**OmegaConf.to_container(config))


def _as_list(value: Any) -> Any:
    """A list of a configuration as a plain one, anything else as it is."""
    return OmegaConf.to_object(value) if OmegaConf.is_list(value) else value


def _runs_of(config: DictConfig) -> Any:
    if OmegaConf.is_missing(config, "run_dir"):
        raise UserError("run_dir is missing; name one or several runs, such as run_dir=multirun/default")
    return local_runs(_as_list(config.run_dir))


def _sources(config: DictConfig) -> dict[str, Any]:
    if config.checkpoint not in ("best", "last"):
        raise UserError(f"checkpoint={config.checkpoint} must be best or last")
    return {"checkpoint": config.checkpoint, "data_path": config.data.path, "cache_dir": config.data.cache_dir}
