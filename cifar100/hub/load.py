"""A network with its weights, from the Hub or from a folder: what other programs need of this one."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.base.errors import HubError
from cifar100.base.files import read_file
from cifar100.config import load_model
from cifar100.evaluation.open_run import trained_weights
from cifar100.hub.address import is_address, parse_address
from cifar100.hub.description import Description, describe_run, outlined, parse_description
from cifar100.hub.download import CONFIG
from cifar100.hub.pull import pull
from cifar100.hub.weights import WEIGHTS, check_fit, most_bytes, parse_weights
from cifar100.record import RunDirectory
from cifar100.record.run_directory import MAX_JSON_BYTES


def load(source: str | Path, *, revision: str | None = None) -> nn.Module:
    """The `cifar100.models.network.Network` of a repository or folder, in evaluation mode, on the CPU, channels_last as
    evaluate.py has it.

    Args:
        source: "user/repo", "hf://user/repo", "hf://user/repo@revision"; or a folder: one with the files of such a
            repository, or a run directory, of which the best epoch is taken where there is one. A folder comes first.
        revision: branch, tag or commit of a repository; main if null.

    Raises:
        HubError: in one line, where there is no such thing or it is not safe to load.
        HubUnreachable: it is neither in the cache nor to be had now.
    """
    folder = local_folder(source, revision)
    model, weights = _pushed(folder) if (folder / WEIGHTS).exists() else _recorded(folder)
    network = load_model({"model": model})
    network.load_state_dict(weights)
    return network.eval().to(memory_format=torch.channels_last)


def describe(source: str | Path, *, revision: str | None = None) -> Description:
    """The description in a repository, folder or run directory: data set, names of the classes in the order of the
    logits, mean and deviation by which images are normalized, and the network. Takes and raises what `load` does."""
    folder = local_folder(source, revision)
    path = folder / CONFIG
    if not path.exists() and RunDirectory(folder).exists():
        return describe_run(RunDirectory(folder))
    return parse_description(_read(path, MAX_JSON_BYTES), str(path))[0]


def local_folder(source: str | Path, revision: str | None = None) -> Path:
    """The folder that a source of `load` is, or is fetched into. Raises what `load` does."""
    folder = Path(source)
    if not is_address(source) and folder.is_dir():
        if revision is not None:
            raise HubError(f"{folder} is a folder, which has no revision={revision}; leave it out")
        return folder
    if isinstance(source, Path):
        raise HubError(f"{folder} is no folder; name one with {CONFIG} and {WEIGHTS}, or a run directory")
    return pull(parse_address(source, revision))


def _pushed(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    about, network = parse_description(_read(folder / CONFIG, MAX_JSON_BYTES), str(folder / CONFIG))
    path = folder / WEIGHTS
    return about.model, parse_weights(_read(path, most_bytes(network)), network, str(path))


def _recorded(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    record = RunDirectory(folder)
    model = record.config().get("model")
    network = outlined(model if isinstance(model, dict) else {}, f"{folder}/config.yaml")
    name = next((name for name in ("best", "last") if record.has_checkpoint(name)), None)
    if name is None:
        raise HubError(f"{folder} has no weights, neither {WEIGHTS} nor checkpoints/")
    weights = trained_weights(record.load_checkpoint(name)[0])
    check_fit(weights, network.state_dict(), str(record.checkpoint_path(name)))
    return model, weights


def _read(path: Path, limit: int) -> bytes:
    data = read_file(path, limit)
    if data is None:
        raise HubError(f"{path} is missing")
    return data
