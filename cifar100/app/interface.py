"""The laboratory from Python: what the commands do, in a notebook or another program, any number of times."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from hydra.types import RunMode
from omegaconf import DictConfig
from torch import nn

from cifar100.app.prediction import load_classifier, local_run, predict_pictures
from cifar100.app.session import composed, train_composed, without_hydra
from cifar100.base.errors import UserError
from cifar100.config import build_network, check_typed_choices, trusting
from cifar100.deploy.classifier import Classifier, Guess
from cifar100.evaluation.evaluate import evaluate_run
from cifar100.mistakes import user_error
from cifar100.sweep.listing import runs as list_runs

Folder = str | Path
P = ParamSpec("P")
R = TypeVar("R")


def _one_error(function: Callable[P, R]) -> Callable[P, R]:
    """Every mistake that a user may make leaves ``function`` as a UserError; a bug of this program as it is."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            known = user_error(error)
            if known is None or known is error:
                raise
            raise known from error

    return called


@_one_error
def compose(overrides: Sequence[str] | str = (), *, conf: Folder | None = None) -> DictConfig:
    """The configuration that ``python train.py <overrides>`` would train.

    Args:
        overrides: as typed after train.py: ``["model=resnet20", "optimizer.lr=0.05"]``, or one of them.
        conf: a configuration folder of your own, whose choices are found, too.

    Raises:
        UserError: in one line, a choice or option that there is not.
    """
    with composed(overrides, conf) as config:
        return without_hydra(config)


@_one_error
def build(overrides: Sequence[str] | str = (), *, conf: Folder | None = None) -> nn.Module:
    """The network of :func:`compose`, untrained, its weights drawn from ``seed``; torch's own generator is left alone.

    Maps images ``(n, in_channels, resolution, resolution)`` to logits ``(n, num_classes)``. Takes what `compose` does.

    Raises:
        UserError: in one line, also for parts that do not go together.
    """
    with composed(overrides, conf) as config, torch.random.fork_rng(devices=[]):
        typed = list(config.hydra.overrides.task)
        check_typed_choices(config, typed)
        torch.manual_seed(config.seed)
        return build_network(without_hydra(config), typed)


@_one_error
def train(overrides: Sequence[str] | str = (), *, conf: Folder | None = None, quiet: bool = False) -> Path:
    """Trains as ``python train.py <overrides>`` does: continues an interrupted run, and leaves a finished one alone.

    Takes what `compose` does. A sweep is a loop of yours over calls.

    Args:
        quiet: neither progress bar nor lines on the terminal; they are in the run's train.log, as always.

    Returns:
        The run directory.

    Raises:
        UserError: in one line; a run that diverged or ran out of memory, too.
        KeyboardInterrupt: after the checkpoint is written; the same call continues.
    """
    typed = [overrides] if isinstance(overrides, str) else list(overrides)
    with composed([*typed, "trainer.disable_tqdm=true"] if quiet else typed, conf) as config:
        if config.hydra.mode == RunMode.MULTIRUN:
            raise UserError("this is a sweep; type it (python train.py), or call train once for each of its runs")
        return train_composed(config, quiet)


@_one_error
def load(source: Folder, *, revision: str | None = None, conf: Folder | None = None) -> Classifier:
    """A trained network with the names of its classes and the mean and deviation of its images, on the CPU.

    Args:
        source: a run directory, a folder that holds one, ``hf://user/repo``, or a folder with its files.
        revision: branch, tag or commit of a repository.
        conf: a configuration folder of your own, whose primitives the network may have; nothing else is trusted.

    Raises:
        UserError: in one line, where there is no such network or it is not safe to load.
    """
    with trusting([] if conf is None else [conf]):
        return load_classifier(source, revision=revision)


@_one_error
def evaluate(run: Folder, *, conf: Folder | None = None, **options: Any) -> dict[str, Any]:
    """Evaluates one run as ``python evaluate.py run_dir=<run>`` does, and writes its ``evaluation/``.

    Args:
        run: as of `load`.
        conf: as of `load`.
        options: those of :func:`cifar100.evaluation.evaluate.evaluate_run`: split, checkpoint, precision, data_path,
            latency, explain, ...

    Returns:
        ``test/top1``, ``test/top5`` and ``test/ece`` as fractions, ``test/loss`` in nats, parameters, macs and more.

    Raises:
        UserError: in one line.
    """
    with trusting([] if conf is None else [conf]):
        return evaluate_run(local_run(run), **options)


@_one_error
def predict(
    run: Folder | Classifier, images: Any, top: int = 5, *, conf: Folder | None = None
) -> dict[str, list[Guess]]:
    """Classifies pictures.

    Args:
        run: as of `load`, or what `load` returned, which saves loading it again.
        images: a file, a folder, a glob, a PIL image, an array uint8 ``(h, w, 3)``, or a list of these.
        top: how many classes to name.
        conf: as of `load`.

    Returns:
        For each picture, by its name, the most probable classes: ``[(name, probability), ...]``.

    Raises:
        UserError: in one line.
    """
    return predict_pictures(run if isinstance(run, Classifier) else load(run, conf=conf), images, top)


@_one_error
def runs(run_dir: Any = "multirun", **options: Any) -> list[dict[str, Any]]:
    """The listing of ``python -m cifar100 runs``, as rows for ``pandas.DataFrame``; options as of
    :func:`cifar100.sweep.listing.runs`. Raises UserError in one line."""
    return list_runs(run_dir, show=lambda text: None, **options)
