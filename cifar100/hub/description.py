"""The description of a network in plain JSON: config.json of a repository, or made of a run's record. It is data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from cifar100.base.errors import HubError
from cifar100.base.values import is_whole
from cifar100.data import specs
from cifar100.evaluation.bounded import outline
from cifar100.record import RecordError, RunDirectory
from cifar100.record.checkpoints import CHECKPOINTS
from cifar100.record.plain import format_json, parse_json_object, to_plain
from cifar100.record.run_directory import MAX_JSON_BYTES

FORMAT = 1
MOST_CLASSES = 2**16
LONGEST_NAME = 200
KNOWN = {spec.name: spec for spec in (specs.CIFAR100, specs.CIFAR10, specs.DIGITS, specs.TINY_IMAGENET)}


@dataclass(frozen=True)
class Description:
    """A network and the images that it was trained on.

    `model` is as in a record's config.yaml; `mean` and `std` are of the training images, per channel, in 0..1;
    `checkpoint` (best or last) and `epoch` say which state of the run the weights are.
    """

    model: dict[str, Any]
    data: str
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    checkpoint: str
    epoch: int | None

    def format(self) -> bytes:
        """As JSON. With sizes and format besides, for readers that know nothing of `model`."""
        image = {key: self.model.get(key) for key in ("in_channels", "num_classes", "resolution")}
        fields = {"library_name": "cifar100-lab", "format": FORMAT, **image, "data": self.data}
        fields |= {"class_names": list(self.class_names), "mean": list(self.mean), "std": list(self.std)}
        fields |= {"checkpoint": self.checkpoint, "epoch": self.epoch, "model": self.model}
        return format_json(fields, Path("config.json"))


def outlined(model: Mapping[str, Any], source: str) -> nn.Module:
    """As `outline`, for what a Hub's files describe. Raises HubError."""
    try:
        return outline(model, source)
    except ValueError as error:
        raise HubError(error) from None


def parse_description(data: bytes, source: str) -> tuple[Description, nn.Module]:
    """The description in a config.json, and the network's outline (see `outline`), which has no weights.

    Raises HubError in one line for anything but the plain description of a network that can be built.
    """
    try:
        if len(data) > MAX_JSON_BYTES:
            raise HubError(f"{source} has {len(data)} bytes, more than the {MAX_JSON_BYTES} that it may have")
        plain = to_plain(parse_json_object(data, Path(source)), Path(source), interpolation=False)
    except RecordError as error:
        raise HubError(error) from None
    if plain.get("format") != FORMAT or not isinstance(plain.get("model"), dict):
        raise HubError(f"{source} describes no network of this program in format {FORMAT}")
    network = outlined(plain["model"], source)
    names = _texts(plain, "class_names", source)
    mean, std = (_numbers(plain, key, source) for key in ("mean", "std"))
    if 0 in std:
        raise HubError(f"{source}: std is 0, and images are divided by it")
    if len(names) != network.num_classes or {len(mean), len(std)} != {network.in_channels}:
        raise HubError(f"{source}: class_names, mean or std do not have as many entries as the network has use for")
    checkpoint, epoch = plain.get("checkpoint"), plain.get("epoch")
    if checkpoint not in CHECKPOINTS or not (epoch is None or _is_count(epoch)):
        raise HubError(f"{source}: checkpoint or epoch is none")
    (data,) = _texts({"data": [plain.get("data")]}, "data", source)
    return Description(plain["model"], data, names, mean, std, checkpoint, epoch), network


def describe_run(record: RunDirectory) -> Description:
    """The network of a run, the names of its classes, and the mean and deviation that its images were normalised with.

    They are in environment.json. Records written before they were fall back on what is published of the data set; its
    classes are numbers where their names are not known.

    Raises:
        HubError: in one line, for a record that is damaged or of a data set that nothing more is known of.
    """
    config, path = record.config(), record.path
    data = config.get("data") if isinstance(config.get("data"), dict) else {}
    about = _trained_on((record.environment() or {}).get("data"), data, str(path))
    name = next((name for name in ("best", "last") if record.has_checkpoint(name)), "last")
    row = (record.summary() or {}).get(name)
    fields = {
        "format": FORMAT,
        "model": config.get("model"),
        "data": data.get("name"),
        "checkpoint": name,
        "epoch": row.get("epoch") if isinstance(row, dict) else None,
    }
    # Through the same reader as a stranger's: a record is no more to be trusted.
    return parse_description(json.dumps(fields | about).encode(), str(path))[0]


def _texts(fields: Mapping[str, Any], key: str, source: str) -> tuple[str, ...]:
    texts = fields.get(key)
    if not isinstance(texts, list) or len(texts) > MOST_CLASSES:
        raise HubError(f"{source}: {key} is no list of names")
    for text in texts:
        if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= LONGEST_NAME:
            raise HubError(f"{source}: {key} holds {str(text)[:40]!r}, which is no name")
    return tuple(texts)


def _numbers(fields: Mapping[str, Any], key: str, source: str) -> tuple[float, ...]:
    numbers = fields.get(key)
    if not isinstance(numbers, list) or not all(isinstance(each, float | int) for each in numbers):
        raise HubError(f"{source}: {key} is no list of numbers")
    if any(isinstance(each, bool) or not 0 <= each <= 1 for each in numbers):
        raise HubError(f"{source}: {key} has a number that is not between 0 and 1")
    return tuple(map(float, numbers))


def _is_count(value: Any) -> bool:
    return is_whole(value) and value >= 0


def _trained_on(recorded: Any, data: Mapping[str, Any], source: str) -> dict[str, Any]:
    keys = ("class_names", "mean", "std")
    if isinstance(recorded, Mapping) and all(recorded.get(key) for key in keys):
        return {key: recorded[key] for key in keys}
    spec = KNOWN.get(str(data.get("name")))
    if spec is None:
        raise HubError(
            f"{source} was recorded before records told the names of classes, and data={str(data.get('name'))[:40]} is "
            "not known without; train it again, or push it (hub push) where its images are"
        )
    names = spec.class_names or [str(index) for index in range(spec.num_classes)]
    return {"class_names": list(names), "mean": list(spec.mean), "std": list(spec.std)}
