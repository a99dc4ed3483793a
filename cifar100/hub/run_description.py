"""The description that config.json gives of a pushed network, for a run directory that was never pushed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cifar100.base.errors import HubError
from cifar100.data import specs
from cifar100.hub.description import FORMAT, Description, parse_description
from cifar100.record import RunDirectory

KNOWN = {spec.name: spec for spec in (specs.CIFAR100, specs.CIFAR10, specs.DIGITS, specs.TINY_IMAGENET)}


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
    content = {
        "format": FORMAT,
        "model": config.get("model"),
        "data": data.get("name"),
        "checkpoint": name,
        "epoch": row.get("epoch") if isinstance(row, dict) else None,
    }
    # Through the same reader as a stranger's: a record is no more to be trusted.
    return parse_description(json.dumps(content | about).encode(), str(path))[0]


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
