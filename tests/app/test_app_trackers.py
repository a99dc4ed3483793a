"""A run in a tracker: its name, its study and its id there; continued it is one run, started over another."""

import json
import subprocess

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker

from cifar100.app import trackers
from cifar100.app.trackers import RunTracker, check_tracker
from cifar100.base.conf import CONF
from cifar100.base.errors import UserError
from cifar100.record import RunDirectory


class Fake(GeneralTracker):
    """Keeps what it was built with; fails when asked to."""

    name, requires_logging_directory = "wandb", False
    runs: list["Fake"] = []
    fails: tuple[str, ...] = ()

    def __init__(self, project: str, **options) -> None:
        super().__init__(_blank=True)
        self.project, self.options, self.rows = project, options, []
        Fake.runs.append(self)

    @property
    def tracker(self):
        return self

    def _maybe_fail(self, what: str) -> None:
        if what in self.fails:
            raise ConnectionError(f"{what}: no\nserver")

    def start(self) -> None:
        self._maybe_fail("start")

    def store_init_configuration(self, values) -> None:
        self.rows.append(values)

    def log(self, values, step=None, *, commit) -> None:
        self._maybe_fail("log")
        assert commit, "a kill would lose the last epoch"
        self.rows.append((step, values))

    def finish(self) -> None:
        self.rows.append("finished")


@pytest.fixture
def record(tmp_path, monkeypatch) -> RunDirectory:
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "wandb", Fake)
    monkeypatch.setattr(Fake, "runs", [])
    run = RunDirectory(tmp_path / "multirun" / "main" / "resnet20-eca-e150-seed0-b67aae76")
    run.write_status("running")
    return run


def start(record: RunDirectory, name: str = "wandb") -> RunTracker:
    tracker = RunTracker(name, "cifar100", record)
    tracker.start()
    return tracker


def test_a_run_has_its_name_its_study_and_its_folder(record):
    tracker = start(record)
    tracker.store_init_configuration({"optimizer.lr": 0.1})
    tracker.log({"val/top1": 0.5}, step=1)
    tracker.finish()
    (run,) = Fake.runs
    assert run.project == "cifar100" and run.rows == [{"optimizer.lr": 0.1}, (1, {"val/top1": 0.5}), "finished"]
    assert run.options == {
        "name": record.name, "group": "main", "dir": str(record.path), "id": kept(record), "resume": "allow",
    }  # fmt: skip


def kept(record: RunDirectory) -> str:
    return json.loads((record.path / "tracker.json").read_text())["wandb"]


def test_a_continued_run_goes_on_there_and_one_that_starts_over_is_another(record):
    start(record)
    start(record)
    with record.lock():
        record.clear()
    start(record)
    other = RunDirectory(record.path.parents[1] / "eca" / record.name)
    other.write_status("running")
    start(other)
    ids = [run.options["id"] for run in Fake.runs]
    assert ids[0] == ids[1] and len(set(ids)) == 3, "the same run of another study is another, too"
    assert all(each.isalnum() and len(each) == 32 for each in ids)


def test_an_id_is_kept_before_the_tracker_knows_it(record, monkeypatch):
    monkeypatch.setattr(Fake, "start", lambda self: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        start(record)
    assert kept(record) == Fake.runs[0].options["id"]


def test_ids_of_several_trackers_are_kept(record):
    (record.path / "tracker.json").write_text(json.dumps({"mlflow": "f00", "wandb": "../../etc"}))
    start(record)
    assert json.loads((record.path / "tracker.json").read_text()) == {"mlflow": "f00", "wandb": kept(record)}
    assert kept(record).isalnum(), "what stood there is no id"


@pytest.mark.parametrize("content", ["{", "[]", '{"wandb": 3}', '{"wandb": "' + "a" * 400 + '"}'])
def test_a_damaged_file_of_ids_is_none(record, content):
    (record.path / "tracker.json").write_text(content)
    start(record)
    assert len(Fake.runs[0].options["id"]) == 32


def test_a_tracker_that_does_not_start_is_one_line(record, monkeypatch):
    start(record)
    monkeypatch.setattr(Fake, "fails", ("start",))
    with pytest.raises(UserError) as error:
        start(record)
    line = str(error.value)
    assert line.startswith(
        "tracker=wandb does not start: start: no server; wandb login, or WANDB_MODE=offline; deleting "
    )
    assert line.endswith("tracker.json begins another run there")


def test_a_tracker_that_fails_later_does_not_take_the_run_along(record, monkeypatch, caplog):
    tracker = start(record)
    monkeypatch.setattr(Fake, "fails", ("log",))
    for step in (1, 2):
        tracker.log({"val/top1": 0.5}, step=step)
    tracker.finish()
    assert caplog.text.count("tracker=wandb failed and is left out from here on: log: no server") == 1
    assert Fake.runs[0].rows == []


def test_every_tracker_of_accelerate_is_a_choice_and_has_options(record, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server")
    monkeypatch.setenv("TRACKIO_DIR", "elsewhere")
    assert {file.stem for file in (CONF / "tracker").glob("*.yaml")} == {"none", *LOGGER_TYPE_TO_CLASS}
    for name in set(LOGGER_TYPE_TO_CLASS) - {"comet_ml"}:  # which wants its own object
        texts = [str(trackers._options(name, "cifar100", record, "id0", known)) for known in (False, True)]
        assert record.name in texts[0] and (texts[0] != texts[1] or name in ("tensorboard", "swanlab", "wandb"))
        assert "main" in texts[0]


def test_stores_are_in_the_study_unless_the_user_says_otherwise(record, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(trackers, "_defaults", {})
    for study in ("main", "eca"):
        run = RunDirectory(tmp_path / study / "run")
        _, options = trackers._options("mlflow", "cifar100", run, "id0", False)
        assert trackers.os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path / study / 'mlflow.db'}"
        assert options["logging_dir"] == str(tmp_path / study / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server")
    _, options = trackers._options("mlflow", "cifar100", record, "id0", False)
    assert trackers.os.environ["MLFLOW_TRACKING_URI"] == "http://server" and options["logging_dir"] is None


def test_what_trackers_write_is_ignored_by_git(tmp_path):
    names = ("run/wandb/a", "run/tracker.json", "run/events.out.tfevents.1.host", "trackio/cifar100.db", "mlflow.db")
    names += ("mlruns/1/a", ".aim/a", "run/swanlog/a", "run/comet/a.zip", "run/dvclive/a", "mlflow.db-wal", ".lock")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text((CONF.parent / ".gitignore").read_text())
    for name in names:
        file = tmp_path / "multirun" / "main" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    listed = subprocess.run(["git", "-C", str(tmp_path), "ls-files", "-o", "--exclude-standard"], capture_output=True)
    assert listed.stdout.decode().split() == [".gitignore"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensorbord", "tracker.name=tensorbord is none of accelerate's; did you mean tensorboard?"),
        ("os", "tracker.name=os is none of accelerate's"),
        (3, "tracker.name=3 is none of accelerate's"),
        ("wandb", "tracker=wandb is not installed; pip install wandb"),
    ],
)
def test_unknown_and_missing_trackers_are_refused(monkeypatch, name, message):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        check_tracker(name)
    assert str(error.value).startswith(message)


def test_tensorboard_shows_a_continued_run_as_one(record):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    row = {"epoch": 1, "train/loss": 2.0}
    first = start(record, "tensorboard")
    first.store_init_configuration({"optimizer.lr": 0.1})
    for step in (1, 2, 3):  # killed after the third was logged, before it was recorded
        first.log({"val/top1": step / 10}, step=step)
    first.finish()
    record.write_metrics([row, row | {"epoch": 2}])
    second = start(record, "tensorboard")
    second.store_init_configuration({"optimizer.lr": 0.1})
    for step in (3, 4):
        second.log({"val/top1": step}, step=step)
    second.finish()
    assert not [path for path in record.path.iterdir() if path.is_dir()]
    shown = EventAccumulator(str(record.path)).Reload().Scalars("val/top1")
    assert [each.step for each in shown] == [1, 2, 3, 4]
    assert [each.value for each in shown] == pytest.approx([0.1, 0.2, 3.0, 4.0])
