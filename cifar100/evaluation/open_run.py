"""A recorded run made ready to answer: network with its weights, data, and how it was trained. The record is data."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.text import plain_line
from cifar100.config import CONF, build, load_model, own_folders
from cifar100.data.images import ImageData, ImageSet
from cifar100.evaluation.bounded import outline
from cifar100.evaluation.precision import Precision
from cifar100.record import RunDirectory

log = logging.getLogger(__name__)
AVERAGE, RAW = "average.module.", "model."  # how a checkpoint names an average of the weights, and the weights


@dataclass(frozen=True)
class OpenRun:
    """A run's network in evaluation mode, its data, and the checkpoint (name and epoch) that the weights are from."""

    record: RunDirectory
    model: nn.Module
    data: ImageData
    checkpoint: str
    epoch: int | None
    trained: Precision
    design: str = ""

    def images(self, split: str) -> ImageSet:
        """The split `test` or `val`. Raises ValueError if the run held out no images."""
        images = self.data.test if split == "test" else self.data.val
        if images is None:
            raise UserError(f"split={split}: {self.record.path} held out no images (data.val_size=0); use split=test")
        return images

    @property
    def title(self) -> str:
        """The head of a figure: the design's label and its seed, or the run's name where it has no label."""
        return self.design or self.record.name

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return tuple(self.data.test.images.shape[1:])


def open_run(
    record: RunDirectory,
    *,
    checkpoint: str = "best",
    data_path: str | None = None,
    cache_dir: str | None = None,
    device: torch.device | str = "cpu",
) -> OpenRun:
    """Rebuilds network and data from a run directory, which is never trusted.

    `checkpoint` is best or last; a run without held-out images has no best epoch, and then last is taken. Images come
    from `data_path`, or where a reader without path looks: a path that a record names is not followed.
    Raises ValueError or OSError, in one line, for a record that is damaged, hostile or without its weights.
    """
    config = record.config()
    name = _available(record, config, checkpoint)
    outline(_mapping(config, "model"), f"{record.path}/config.yaml")
    _check_input(config, record)
    model = load_model(config)
    tensors, state = record.load_checkpoint(name)
    _load_weights(model, tensors, f"{record.checkpoint_path(name)}")
    model = model.eval().to(device, memory_format=torch.channels_last)
    data = images_of(record, data_path, cache_dir)
    trained, epoch = Precision.of_trainer(config.get("trainer")), _epoch(state)
    return OpenRun(record, model, data, name, epoch, trained, _design(config))


def images_of(record: RunDirectory, data_path: str | None = None, cache_dir: str | None = None) -> ImageData:
    """The images that a run was trained, validated and tested on. Takes and raises what `open_run` does."""
    data = _load_data(record.config(), data_path, cache_dir)
    _check_fingerprint(record, data)
    return data


def design_of(record: RunDirectory) -> str:
    """The design's label and its seed, or the run's name where it has no label."""
    return _design(record.config()) or record.name


def _design(config: Mapping[str, Any]) -> str:
    label = plain_line(config.get("label") or "", 80)
    return f"{label}, seed {plain_line(config.get('seed'), 12)}" if label else ""


def _available(record: RunDirectory, config: Mapping[str, Any], wanted: str) -> str:
    if record.has_checkpoint(wanted):
        return wanted
    held_out = _mapping(config, "data").get("val_size")
    if wanted == "best" and held_out == 0 and record.has_checkpoint("last"):
        log.info("%s held out no images (data.val_size=0) and has no best epoch: taking checkpoint=last", record.name)
        return "last"
    others = [name for name in ("best", "last") if record.has_checkpoint(name)]
    cure = f"use checkpoint={others[0]}" if others else "train it (again) first: the record has no weights"
    raise UserError(f"checkpoint={wanted}: {record.checkpoint_path(wanted)} does not exist; {cure}")


def trained_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that a checkpoint is evaluated with: the average of the weights where training kept one, since
    that is what it validated, else the weights."""
    for prefix in (AVERAGE, RAW):
        weights = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        if weights:
            break
    return weights


def _check_input(config: Mapping[str, Any], record: RunDirectory) -> None:
    """Refuses a network whose images are of another shape than those it was trained on."""
    model, data = _mapping(config, "model"), _mapping(config, "data")
    for key in ("in_channels", "resolution", "num_classes"):
        if key in model and key in data and model[key] != data[key]:
            raise UserError(
                f"{record.path}/config.yaml: model.{key}={str(model[key])[:40]} but data.{key}={str(data[key])[:40]}; "
                "this network was not trained on these images"
            )


def _load_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    try:
        model.load_state_dict(trained_weights(tensors))
    except RuntimeError as error:
        fault = " ".join(str(error).split())
        raise UserError(f"{source} does not fit the network in config.yaml: {fault[:300]}") from None


def _load_data(config: Mapping[str, Any], path: str | None, cache_dir: str | None) -> ImageData:
    node = _mapping(config, "data")
    target = str(node.get("_target_"))
    if target not in _readers().union(*map(_readers.__wrapped__, own_folders())):
        raise UserError(f"the record's data names {target[:80]!r}, which is no reader in this checkout's conf/data")
    for key, value in node.items():
        if (str(key).startswith("_") and key != "_target_") or not _is_option(value):
            raise UserError(f"the record's data holds {str(key)[:60]!r}, which no record has")
    return build({**node, "_target_": target, "path": path, "cache_dir": cache_dir})


@cache
def _readers(folder: Path = CONF) -> frozenset[str]:
    """The targets of conf/data; a choice that also overrides other groups has its own under `data`."""
    nodes = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (folder / "data").glob("*.yaml")]
    return frozenset(str(node.get("data", node).get("_target_")) for node in nodes if node) - {"None"}


def _is_option(value: Any) -> bool:
    """Whether `value` is a scalar or a list of them: in a mapping, however deep, hydra would look for a target."""
    return all(map(_is_option, value)) if isinstance(value, list) else not isinstance(value, Mapping)


def _check_fingerprint(record: RunDirectory, data: ImageData) -> None:
    described = (record.environment() or {}).get("data")
    trained = described.get("fingerprint") if isinstance(described, Mapping) else None
    if trained and trained != data.fingerprint:
        raise UserError(
            f"{record.path} was trained on other images of {data.name} (fingerprint {str(trained)[:12]}) than those "
            f"found now ({data.fingerprint[:12]}); give its images with data.path=..."
        )


def _epoch(state: Mapping[str, Any]) -> int | None:
    """The epoch that the weights are from: of the validated row in `best`, of the finished epochs in `last`."""
    for part in ("metrics", "progress"):
        epoch = state[part].get("epoch") if isinstance(state.get(part), Mapping) else None
        if isinstance(epoch, int):
            return epoch
    return None


def _mapping(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if not isinstance(config.get(key), Mapping):
        raise UserError(f"the record's config.yaml has no {key}; it is damaged or not a run of this project")
    return config[key]
