"""Many runs at a glance: what each is, how far it came and how good it is, from its run directory. Needs no torch."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.files import read_file
from cifar100.base.text import near, one_line
from cifar100.base.values import check_flag, is_number
from cifar100.record import RecordError, RunDirectory, find_runs
from cifar100.record.fields import METRICS
from cifar100.record.plain_yaml import parse_yaml
from cifar100.record.run_directory import MAX_CONFIG_BYTES
from cifar100.sweep.listing_text import COLUMNS, SHOWN, TEXT, Row, format_csv, format_table

FORMATS = ("table", "csv")
# The keys of config.yaml that a row tells of, with how the lines below them begin.
NEEDED = {"label": " ", "seed": " ", "trainer": "  num_train_epochs:", "choices": "  model:"}
RECENT = 5  # epochs whose median time says how long the rest will take
CLEAR = "\x1b[H\x1b[2J"


def runs(
    run_dir: str | Path | Iterable[str | Path],
    *,
    sort: str = "run",
    state: str | Sequence[str] | None = None,
    label: str | None = None,
    seed: int | Sequence[int] | None = None,
    format: str = "table",
    columns: Sequence[str] | None = None,
    watch: bool = False,
    every_s: float = 10.0,
    show: Callable[[str], None] = print,
) -> list[Row]:
    """Lists the runs that ``run_dir`` names and shows them as a table or CSV.

    Args:
        run_dir: a run directory, a folder of runs at any depth, a glob, or several of these.
        sort: a column; with ``-`` in front the largest first. Runs without a value come last.
        state: only runs in this state, or in one of these: running, finished, failed, interrupted, damaged.
        label: only runs whose label, recipe or folder matches this glob; without ``*`` any that holds the text.
        seed: only runs with this seed, or one of these.
        format: table for people, csv for programs: all columns, fractions and seconds.
        columns: what a line tells, of :data:`COLUMNS`; null is all for csv and :data:`SHOWN` for a table.
        watch: list again every ``every_s`` seconds as long as one of the runs is running.
        every_s: seconds between two listings.
        show: takes each listing as text.

    Returns:
        A mapping for each run, by column: accuracies as fractions, ``left_s`` the seconds that training still takes.

    Raises:
        RecordError: ``run_dir`` names no run.
        UserError: an argument that cannot be, in one line.
    """
    check_options(sort=sort, format=format, columns=columns, watch=watch, every_s=every_s)
    chosen = tuple(columns or (COLUMNS if format == "csv" else SHOWN))
    states, seeds = _several(state), _several(seed)
    while True:
        rows = [read_row(record) for record in find_runs(run_dir)]
        going = any(row["state"] == "running" for row in rows)
        rows = [row for row in rows if _wanted(row, states, label, seeds)]
        rows = ordered(rows, sort)
        text = format_csv(rows, chosen) if format == "csv" else format_table(rows, chosen)
        show(f"{CLEAR if watch and sys.stdout.isatty() else ''}{text}")
        if not (watch and going):
            return rows
        try:
            time.sleep(every_s)
        except KeyboardInterrupt:  # how watching ends
            return rows


def check_options(*, sort: str, format: str, columns: Sequence[str] | None, watch: bool, every_s: float) -> None:
    """Refuses what cannot be meant. Raises ValueError in one line."""
    if format not in FORMATS:
        raise UserError(f"format={format} must be one of {', '.join(FORMATS)}")
    for option, name in (("sort", str(sort).removeprefix("-")), *(("columns", each) for each in columns or ())):
        if name not in COLUMNS:
            raise UserError(f"{option}={name} is no column{near(str(name), COLUMNS)}")
    check_flag("watch", watch)
    if not is_number(every_s) or not 0.1 <= every_s <= 86_400:
        raise UserError(f"every_s={every_s} must be a number of seconds from 0.1 to 86400")


def read_row(record: RunDirectory) -> Row:
    """The row of one run directory; a damaged one is a row in the state ``damaged`` that says which file."""
    row: Row = dict.fromkeys(COLUMNS) | {"run": str(record.path), "study": record.study}
    try:
        _read(record, row)
    except (RecordError, OSError, AttributeError, TypeError, ValueError) as error:
        row |= {"state": "damaged", "error": one_line(error)}
    return row


def _read(record: RunDirectory, row: Row) -> None:
    config, status = _config(record), record.status() or {}
    trainer, choices = (config.get(key) if isinstance(config.get(key), dict) else {} for key in ("trainer", "choices"))
    row |= {"label": config.get("label") and one_line(config["label"]), "seed": config.get("seed")}
    row |= {"model": choices.get("model"), "epochs": trainer.get("num_train_epochs")}
    row |= {"state": record.state() or "not begun", "updated": status.get("updated")}
    row["error"] = status.get("error") and one_line(status["error"])
    summary = record.summary() or {}
    row |= _accuracies(summary) if summary else _progress(record, row)
    costs = summary if "parameters" in summary else record.environment() or {}
    evaluation = record.read_json("metrics.json") or {}
    row |= {key: costs.get(key, evaluation.get(key)) for key in ("parameters", "macs")}
    row |= {field.key(): evaluation.get(field.key()) for field in METRICS}


def _accuracies(summary: Mapping[str, Any]) -> Row:
    """Of a run that has ended."""
    best, last = (summary.get(key) or {} for key in ("best", "last"))
    found = {"epoch": summary.get("epochs", last.get("epoch")), "train_s": summary.get("train_s")}
    return found | {
        "best_epoch": best.get("epoch"),
        "val/top1": best.get("val/top1"),
        "last_val/top1": last.get("val/top1"),
    }


def _progress(record: RunDirectory, row: Row) -> Row:
    """Of a run that has not."""
    epochs = record.metrics()
    found: Row = {"epoch": epochs[-1]["epoch"] if epochs else 0, "train_s": _sum(epochs, "epoch_s")}
    validated = [each for each in epochs if isinstance(each.get("val/top1"), float | int)]
    if validated:
        best = max(validated, key=lambda each: each["val/top1"])
        found |= {"val/top1": best["val/top1"], "best_epoch": best["epoch"], "last_val/top1": validated[-1]["val/top1"]}
    if row["state"] in ("running", "interrupted"):
        found["left_s"] = _left(found["epoch"], row["epochs"], epochs)
    return found


def _config(record: RunDirectory) -> dict[str, Any]:
    """Of config.yaml the few lines that a listing needs: the network is nine tenths of the file, and reading all of it
    for hundreds of runs takes seconds."""
    path = record.path / "config.yaml"
    text = (read_file(path, MAX_CONFIG_BYTES) or b"").decode("utf-8", "replace")
    lines, block = [], None
    for line in text.splitlines(keepends=True):
        if line[:1] not in (" ", "-", "#", "\n", "\r"):
            block = line.partition(":")[0]
            lines += [line] if block in NEEDED else []
        elif block in NEEDED and line.startswith(NEEDED[block]):
            lines.append(line)
    needed = "".join(lines)
    return parse_yaml(needed.encode(), path) if needed or not text else record.config()


def _sum(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows if isinstance(row.get(key), float | int)]
    return sum(values) if values else None


def _left(epoch: int, of: Any, rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds for the epochs that are left, by the median of the last ones."""
    seconds = [row["epoch_s"] for row in rows[-RECENT:] if isinstance(row.get("epoch_s"), float | int)]
    return max(0.0, of - epoch) * statistics.median(seconds) if seconds and isinstance(of, float | int) else None


def _several(value: Any) -> tuple[Any, ...] | None:
    """A filter's values; None where it lets everything through."""
    return None if value is None else tuple(value) if isinstance(value, list | tuple) else (value,)


def _wanted(row: Row, states: Sequence[str] | None, label: str | None, seeds: Sequence[int] | None) -> bool:
    if states is not None and row["state"] not in states:
        return False
    if seeds is not None and row["seed"] not in seeds:
        return False
    pattern = None if label is None else label if "*" in str(label) else f"*{label}*"
    names = (row["label"], row["model"], Path(row["run"]).name)
    return pattern is None or any(name is not None and fnmatchcase(str(name), pattern) for name in names)


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """The rows by a column; those that have no value there come last, either way."""
    column, falling = sort.removeprefix("-"), sort.startswith("-")
    known = [row for row in rows if row[column] is not None]
    known.sort(key=lambda row: str(row[column]) if column in TEXT else row[column], reverse=falling)
    return known + [row for row in rows if row[column] is None]
