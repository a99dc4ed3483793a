"""What trackers are told of a run: a continued run is one run there, and two studies never share one."""

import re

from cifar100.app.description import tracker_options
from cifar100.record import RunDirectory


def test_a_run_has_its_name_its_study_and_an_id_of_its_own(tmp_path):
    run, other = (RunDirectory(tmp_path / study / "resnet20-eca-e150-seed0-b67aae76") for study in ("main", "eca"))
    options = tracker_options(run)["wandb"]
    assert (options["name"], options["group"], options["resume"]) == (run.name, "main", "allow")
    assert options["dir"] == str(run.path)
    assert (
        options["id"] == tracker_options(RunDirectory(run.path))["wandb"]["id"] != tracker_options(other)["wandb"]["id"]
    )
    assert tracker_options(run)["trackio"] == {"name": run.name, "group": "main", "resume": "allow"}


def test_an_id_is_one_that_trackers_take(tmp_path):
    run = RunDirectory(tmp_path / "a study/with # signs" / ("long" * 40 + "-b67aae76"))
    name = tracker_options(run)["wandb"]["id"]
    assert re.fullmatch(r"[\w.-]{1,64}", name) and name.startswith("b67aae76-")
