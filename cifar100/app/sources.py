"""Trained networks that a run starts from or learns from: init_from, freeze, loss.teacher; what more epochs mean."""

import copy
import glob
import hashlib
import logging
import re
from collections.abc import Callable

from omegaconf import DictConfig
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.config import identity
from cifar100.data.images import ImageData
from cifar100.hub.load import describe, load
from cifar100.record import RecordError, RunDirectory

log = logging.getLogger(__name__)
Narrowing = Callable[[nn.Module, nn.Module], dict[str, Tensor]]
NO_TEACHER = "loss.teacher names no teacher; use loss.teacher=multirun/<study>/<run>, or hf://user/repo"
ENDS = ("stem", "head")  # what other channels and other classes change


def start_from(model: nn.Module, source: str | None, narrowed: Narrowing | None = None) -> None:
    """Gives ``model`` the weights of a run directory, folder or Hub repository.

    A stem or head of another shape, for other channels or classes, begins anew; all else must fit. ``narrowed`` makes
    weights for ``model`` of a wider network.

    Raises:
        ValueError, OSError: no such network, one that is not safe to load, or another backbone; in one line.
    """
    if source is None and narrowed:
        raise UserError("pruning=channels needs a trained network; add init_from=multirun/<study>/<run>")
    if source is None:
        return
    if not isinstance(source, str):
        raise UserError(f"init_from={source} must name a run, such as init_from=multirun/main/<run>, or hf://user/repo")
    theirs, ours = load(source), model.state_dict()
    theirs = narrowed(theirs, model) if narrowed else theirs.state_dict()
    shapes = [{name: tuple(tensor.shape) for name, tensor in each.items()} for each in (theirs, ours)]
    unlike = [name for name in {**ours, **theirs} if shapes[0].get(name) != shapes[1].get(name)]
    for name in unlike:
        if name.split(".")[0] not in ENDS:
            there, here = (each.get(name, "not there") for each in shapes)
            raise UserError(
                f"init_from={source} has another backbone: {name} is {there} in it and {here} in this network; "
                "compose the same model, of which stem and head alone may differ"
            )
    model.load_state_dict({name: ours[name] if name in unlike else theirs[name] for name in ours})
    fresh = sorted({name.split(".")[0] for name in unlike})
    log.info("starting from the weights of %s%s", source, f"; anew: {', '.join(fresh)}" if fresh else "")


def freeze(model: nn.Module, part: str | None, init_from: str | None) -> tuple[nn.Module, ...]:
    """The modules that are not trained: none, or with ``part=backbone`` all but the head. Their parameters get no
    gradients.

    Raises:
        UserError: another part, or a backbone that init_from did not give.
    """
    if part is None:
        return ()
    if part != "backbone":
        raise UserError(f"freeze={part} must be backbone, or null to train everything")
    if init_from is None:
        raise UserError("freeze=backbone would keep a backbone of random weights; add init_from=multirun/<study>/<run>")
    frozen = tuple(child for name, child in model.named_children() if name != "head")
    for each in frozen:
        each.requires_grad_(False)
    return frozen


def load_teacher(source: str | None, model: nn.Module, data: ImageData) -> nn.Module:
    """The network that teaches ``model``.

    Raises:
        ValueError, OSError: none named, no such network, one that is not safe to load, or one for other images or
            classes; in one line.
    """
    if not isinstance(source, str):
        raise UserError(NO_TEACHER)
    teacher, about = load(source), describe(source)
    for name in ("in_channels", "num_classes", "resolution"):
        theirs, ours = getattr(teacher, name), getattr(model, name)
        if theirs != ours:
            raise UserError(f"loss.teacher={source} has {name} {theirs}, the network that it should teach {ours}")
    if about.data != data.name:
        raise UserError(f"loss.teacher={source} was trained on {about.data}, not on data={data.name}")
    return teacher


def weights_used(config: DictConfig) -> dict[str, str]:
    """SHA-256 of the weights that a run takes from elsewhere, by the option that names them, for its environment.json:
    an address of the Hub may hold others tomorrow.

    Raises:
        ValueError, OSError: a teacher that is not named, or no such weights, in one line.
    """
    sources = {"init_from": config.get("init_from"), "loss.teacher": config.loss.get("teacher")}
    if "teacher" in config.loss and not isinstance(config.loss.teacher, str):
        raise UserError(NO_TEACHER)
    return {name: _digest(load(source)) for name, source in sources.items() if isinstance(source, str)}


def check_weights_used(record: RunDirectory, found: dict[str, str]) -> None:
    """Raises UserError where a run that is to be continued began with other weights."""
    if not record.has_checkpoint("last"):
        return
    for name, before in ((record.environment() or {}).get("weights") or {}).items():
        if found.get(name) != before:
            raise UserError(f"{record.path} began with other weights of {name}; start over with force=true")


def _digest(network: nn.Module) -> str:
    whole = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


def name_shorter_run(config: DictConfig, record: RunDirectory) -> None:
    """Says in one line, where the same run of fewer epochs is finished, that this one begins anew, and what goes on."""
    parts = re.fullmatch(r"(.+)-e(\d+)-(seed\d+)-[0-9a-f]{8}", record.name)
    if parts is None or record.exists():
        return
    for folder in sorted(record.path.parent.glob(f"{glob.escape(parts[1])}-e*-{parts[3]}-*")):
        epochs = re.fullmatch(r".+-e(\d+)-seed\d+-([0-9a-f]{8})", folder.name)
        if epochs is None or int(epochs[1]) >= int(parts[2]):
            continue
        shorter = copy.deepcopy(config)
        shorter.trainer.num_train_epochs = int(epochs[1])
        if identity(shorter) == epochs[2] and _is_finished(RunDirectory(folder)):
            log.info(
                "%s is finished after %s epochs; %s epochs, whose learning rate falls more slowly, begin anew; "
                "init_from=%s would go on from its weights",
                folder,
                epochs[1],
                parts[2],
                folder,
            )
            return


def _is_finished(record: RunDirectory) -> bool:
    try:
        return record.state() == "finished"
    except RecordError:
        return False
