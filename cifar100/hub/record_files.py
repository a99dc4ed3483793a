"""The files of a run directory that are pushed: read and checked as by every reader, written anew. No weights."""

from typing import Any

from cifar100.record import RunDirectory
from cifar100.record.metrics_file import format_metrics
from cifar100.record.plain import format_json
from cifar100.record.plain_yaml import format_yaml

OF_THIS_MACHINE = ("host", "pid")
TABLES = ("per_class.csv", "per_superclass.csv", "confusion.csv")


def record_files(record: RunDirectory) -> dict[str, bytes]:
    """Content by name, named as in the run directory; without host names, logs and predictions.

    Raises RecordError where one is damaged.
    """
    path = record.path
    files = {"config.yaml": format_yaml(record.config(), path / "config.yaml")}
    objects = {
        "status.json": record.status(),
        "environment.json": record.environment(),
        "summary.json": record.summary(),
        "evaluation/metrics.json": record.read_json("metrics.json"),
    }
    for name, value in objects.items():
        if value is not None:
            files[name] = format_json(_elsewhere(value), path / name)
    if rows := record.metrics():
        files["metrics.jsonl"] = format_metrics(rows, path / "metrics.jsonl")
    for name in TABLES:
        if record.read_csv(name) is not None:
            files[f"evaluation/{name}"] = record.read_bytes(name) or b""
    return files


def _elsewhere(value: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in OF_THIS_MACHINE}
