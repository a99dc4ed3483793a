"""One run on disk: the only thing that evaluation and report know of it.

config.yaml, status.json, environment.json, metrics.jsonl, summary.json, train.log, checkpoints/ and evaluation/. Every
file is written whole or not at all, and read as data of unknown origin.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar100.base.errors import RecordError, RunMoved, UserError
from cifar100.base.files import atomic_write, read_file, remove_temporaries
from cifar100.record.checkpoints import Checkpoints
from cifar100.record.evaluation_files import EvaluationFiles
from cifar100.record.lock import hold, is_held
from cifar100.record.metrics_file import format_metrics, parse_metrics
from cifar100.record.plain import format_json, parse_json_object
from cifar100.record.plain_yaml import format_yaml, parse_yaml

STATES = ("running", "finished", "failed", "interrupted")
MAX_JSON_BYTES = 2**20
MAX_CONFIG_BYTES = 2**17
MAX_METRICS_BYTES = 2**24


class RunDirectory(Checkpoints, EvaluationFiles):
    """The run in the folder `path`, which need not exist yet.

    Readers raise RecordError (a ValueError, one line) for a file that is damaged or of another kind, and return None
    (metrics: no rows) for one that is not there. Writers raise OSError for a full disk and leave the old file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._stands = lambda: True  # while the lock is held: whether the folder is still where it was

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def study(self) -> str:
        return self.path.resolve().parent.name

    def exists(self) -> bool:
        return any((self.path / name).is_file() for name in ("status.json", "config.yaml"))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that works on this run. Raises RunLocked, which names the process that does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fault = f"cannot be made ({error.strerror}); choose another place with root=..."
            raise RecordError(self.path, fault) from error
        with hold(self.path / ".lock") as stands:
            self._stands = stands
            for folder in (self.path, self.path / "checkpoints", self.path / "evaluation"):
                if not folder.is_symlink():
                    remove_temporaries(folder)
            try:
                yield
            finally:
                self._stands = lambda: True

    def status(self) -> dict[str, Any] | None:
        """The content of status.json; `state()` says whether it is still true."""
        status = self._read_json("status.json")
        if status is not None and status.get("state") not in STATES:
            fault = f"state={str(status.get('state'))[:40]!r} is none of {', '.join(STATES)}; run with force=true"
            raise RecordError(self.path / "status.json", fault)
        return status

    def state(self) -> str | None:
        """The recorded state, but `interrupted` for a run whose process has died; None where no run has begun."""
        status = self.status()
        if status is None:
            return None
        if status["state"] == "running" and not is_held(self.path / ".lock"):
            return "interrupted"
        return status["state"]

    def write_status(self, state: str, **fields: Any) -> None:
        """Record the state with the times (ISO 8601, UTC) of the run's first and this change, host and process."""
        if state not in STATES:
            raise UserError(f"state={state!r} is none of {', '.join(STATES)}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        before: dict[str, Any] = {}
        with suppress(RecordError):  # a damaged status is replaced
            before = self.status() or {}
        times = {"state": state, "created": before.get("created", now), "updated": now}
        self._write_json("status.json", times | {"host": socket.gethostname(), "pid": os.getpid()} | fields)

    def config(self) -> dict[str, Any]:
        """The resolved configuration, as plain data. Raises RecordError where there is none."""
        path = self.path / "config.yaml"
        data = read_file(path, MAX_CONFIG_BYTES)
        if data is None:
            raise RecordError(path, "is missing: this is no run directory, or its run has not begun")
        return parse_yaml(data, path)

    def write_config(self, config: dict[str, Any]) -> None:
        path = self.path / "config.yaml"
        self._write(path, format_yaml(config, path), MAX_CONFIG_BYTES)

    def environment(self) -> dict[str, Any] | None:
        return self._read_json("environment.json", ("data", "git", "hardware", "versions", "weights"))

    def write_environment(self, environment: dict[str, Any]) -> None:
        self._write_json("environment.json", environment)

    def summary(self) -> dict[str, Any] | None:
        return self._read_json("summary.json", ("best", "last"))

    def write_summary(self, summary: dict[str, Any]) -> None:
        self._write_json("summary.json", summary)

    def metrics(self) -> list[dict[str, Any]]:
        """One row per epoch, epochs ascending. A torn last line, as a foreign writer leaves it, is dropped."""
        path = self.path / "metrics.jsonl"
        data = read_file(path, MAX_METRICS_BYTES)
        return [] if data is None else parse_metrics(data, path)

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace metrics.jsonl by these rows; a number that is not finite becomes null."""
        path = self.path / "metrics.jsonl"
        self._write(path, format_metrics(rows, path), MAX_METRICS_BYTES)

    def clear(self) -> None:
        """Remove what a run wrote; foreign files and the lock stay. Call with the lock held.

        The status goes first, so that a clear cut short never leaves a run that looks finished. train.log is emptied,
        not removed: the log of the coming run may already be open.
        """
        for name in ("status.json", "checkpoints", "summary.json", "metrics.jsonl", "evaluation", "environment.json"):
            _remove(self.path / name)
        for name in ("tracker.json", "config.yaml"):
            _remove(self.path / name)
        log = self.path / "train.log"
        if log.is_file() and not log.is_symlink():
            os.truncate(log, 0)

    def _read_json(self, name: str, mappings: Iterable[str] = ()) -> dict[str, Any] | None:
        """The content of a file, in which the values of `mappings` are mappings where they are there."""
        data = read_file(self.path / name, MAX_JSON_BYTES)
        value = None if data is None else parse_json_object(data, self.path / name)
        for key in mappings if value else ():
            if not isinstance(value.get(key) or {}, Mapping):
                raise RecordError(self.path / name, f"{key} is no mapping; train the run again with force=true")
        return value

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        self._write(self.path / name, format_json(value, self.path / name), MAX_JSON_BYTES)

    def _write(self, path: Path, data: bytes, limit: int) -> None:
        if len(data) > limit:  # what could be written but not read again
            raise RecordError(path, f"would have {len(data)} bytes, more than the {limit} that are read; record less")
        with self._in_place():
            atomic_write(path, data)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """Raises RunMoved where the folder is gone: writing would make one without its config.yaml, or clobber one."""
        if not self._stands():
            raise RunMoved(self.path)
        try:
            yield
        except FileNotFoundError:
            if self._stands():
                raise
            raise RunMoved(self.path) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
