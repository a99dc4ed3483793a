"""The run in a tracker of accelerate's: called as its folder, grouped by study, one run however often continued."""

import fcntl
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker

from cifar100.base.errors import UserError
from cifar100.base.files import read_file
from cifar100.base.text import near, one_line
from cifar100.record import RecordError, RunDirectory, atomic_write
from cifar100.record.plain import format_json, parse_json_object

log = logging.getLogger(__name__)
KEPT, MOST_BYTES = "tracker.json", 10_000
ID = re.compile(r"[\w.=-]{1,300}")
# What those that send runs elsewhere need once, and what keeps them on this machine.
CURES = {
    "wandb": "wandb login, or WANDB_MODE=offline",
    "comet_ml": "comet login, or COMET_START_ONLINE=0",
    "swanlab": "swanlab login, or SWANLAB_MODE=offline",
    "clearml": "clearml-init, or CLEARML_OFFLINE_MODE=1",
}
TAKES_AN_ID = ("comet_ml", "swanlab", "wandb")
GIVES_AN_ID = {"aim": lambda run: run.hash, "clearml": lambda task: task.id, "mlflow": lambda run: run.info.run_id}
_defaults: dict[str, str] = {}  # of the environment, set here


def check_tracker(name: Any) -> None:
    """Raises UserError for a tracker that accelerate does not have, or that is not installed."""
    if name is None:
        return
    if str(name) not in LOGGER_TYPE_TO_CLASS:
        raise UserError(f"tracker.name={name} is none of accelerate's{near(str(name), LOGGER_TYPE_TO_CLASS)}")
    if find_spec(name) is None:  # accelerate would go on without it
        raise UserError(f"tracker={name} is not installed; pip install {name}")


class RunTracker(GeneralTracker):
    """One of accelerate's trackers for one run; used by the main process alone.

    The id that it gives the run is kept in the run's tracker.json, by which a continued run goes on there; a run that
    starts over (``force=true``, which deletes the file) is another one. Files are in the run's or the study's folder.

    A tracker that fails once the run is under way is left out from there on, with a line in the log.

    Args:
        name: as accelerate calls it.
        project: under which the tracker files runs.
        record: the run.
    """

    requires_logging_directory = False

    def __init__(self, name: str, project: str, record: RunDirectory) -> None:
        super().__init__(_blank=True)
        self.name, self.project, self.record = name, project, record
        self.inner: GeneralTracker | None = None
        self.continued = False

    @property
    def tracker(self) -> Any:
        return self.inner and self.inner.tracker

    def start(self) -> None:
        """Raises UserError in one line where the tracker does not start."""
        path = self.record.path / KEPT
        kept = _kept(path)
        self.continued = self.name in kept
        chosen = kept.get(self.name) or secrets.token_hex(16)
        try:
            with _alone(self.record.path.parent):
                if self.name in TAKES_AN_ID:
                    atomic_write(path, format_json(kept | {self.name: chosen}, path))
                arguments, options = _options(self.name, self.project, self.record, chosen, self.continued)
                inner = LOGGER_TYPE_TO_CLASS[self.name](*arguments, **options)
                inner.start()
                if self.name not in TAKES_AN_ID:
                    given = GIVES_AN_ID.get(self.name, lambda run: "begun")(inner.tracker)
                    atomic_write(path, format_json(kept | {self.name: str(given)}, path))
        except Exception as error:  # of a library, whatever it raises
            cure = f"; {CURES[self.name]}" if self.name in CURES else ""
            cure += f"; deleting {path} begins another run there" if self.continued else ""
            raise UserError(f"tracker={self.name} does not start: {_reason(error)}{cure}") from error
        self.inner = inner

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        if self.name == "mlflow" and self.continued:  # which refuses another value, even of what only changes speed
            return
        if self.name == "tensorboard":  # accelerate's would make a run of its own for them each time
            self._call(lambda inner: inner.writer.add_hparams(values, {}, run_name="."))
        else:
            self._call(lambda inner: inner.store_init_configuration(values))

    def log(self, values: dict[str, Any], step: int | None = None, **options: Any) -> None:
        if self.name == "wandb":  # which else holds a step back until the next one, for a kill to lose
            options = {"commit": True} | options
        self._call(lambda inner: inner.log(values, step=step, **options))

    def finish(self) -> None:
        self._call(lambda inner: inner.finish())
        self.inner = None

    def _call(self, action: Any) -> None:
        if self.inner is None:
            return
        try:
            action(self.inner)
        except Exception as error:  # of a library, a network or a server
            log.warning("tracker=%s failed and is left out from here on: %s", self.name, _reason(error))
            self.inner = None


def _reason(error: Exception) -> str:
    return one_line(error)[:300] or type(error).__name__


def _kept(path: Path) -> dict[str, str]:
    """The ids by tracker. What is no id, in a record of whatever origin, is none."""
    try:
        ids = parse_json_object(read_file(path, MOST_BYTES) or b"{}", path)
    except RecordError:
        return {}
    return {key: each for key, each in ids.items() if isinstance(each, str) and ID.fullmatch(each)}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Runs of a study start one after the other: two at once would both lay out a tracker's store."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _options(
    name: str, project: str, record: RunDirectory, chosen: str, continued: bool
) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """The arguments of accelerate's class for a tracker; ``chosen`` is the run's id, which those that give ids
    themselves are told where they gave it earlier."""
    run, study = record.name, record.study
    folder, beside = record.path.resolve(), record.path.resolve().parent
    given = chosen if continued else None
    match name:
        case "tensorboard":  # what an earlier session logged beyond the last finished epoch is not shown
            return (run, str(beside)), {"purge_step": len(record.metrics()) + 1}
        case "wandb":
            return (project,), {"name": run, "group": study, "dir": str(folder), "id": chosen, "resume": "allow"}
        case "trackio":
            _default("TRACKIO_DIR", str(beside / "trackio"))
            return (project,), {"name": run, "group": study, "resume": "allow" if continued else "never"}
        case "mlflow":
            _default("MLFLOW_TRACKING_URI", f"sqlite:///{beside / 'mlflow.db'}")
            files = str(beside / "mlruns") if os.environ["MLFLOW_TRACKING_URI"].startswith("sqlite:") else None
            return (f"{project}/{study}",), {"run_name": run, "run_id": given, "logging_dir": files}
        case "aim":
            options = {"experiment": f"{project}/{study}", "run_hash": given, "force_resume": continued}
            return (run, str(beside)), options | {"capture_terminal_logs": False}
        case "comet_ml":
            from comet_ml import ExperimentConfig

            config = ExperimentConfig(name=run, tags=[study], offline_directory=str(folder / "comet"))
            return (project,), {"experiment_config": config, "experiment_key": chosen, "mode": "get_or_create"}
        case "swanlab":
            options = {"name": run, "group": study, "log_dir": str(folder / "swanlog")}
            return (project,), options | {"id": chosen, "resume": "allow"}
        case "clearml":
            options = {"project_name": f"{project}/{study}", "task_name": run, "reuse_last_task_id": given or False}
            options |= {"auto_connect_arg_parser": False, "auto_connect_frameworks": False}
            return (project,), options | {"continue_last_task": 0 if continued else False}
        case "dvclive":
            return (), {"dir": str(folder / "dvclive"), "resume": continued, "save_dvc_exp": False, "dvcyaml": None}
    return (project,), {}


def _default(name: str, value: str) -> None:
    """Sets a variable of the environment, unless the user did."""
    if os.environ.get(name) == _defaults.get(name):
        os.environ[name] = _defaults[name] = value
