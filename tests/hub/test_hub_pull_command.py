"""python -m cifar100 hub pull: a network from the Hub as a run directory."""

from pathlib import Path

from cifar100.hub.upload import MODEL, upload
from cifar100.record import RunDirectory


def test_prints_where_it_is_and_copies_where_it_is_told(hub, typed, files):
    upload(files, "ada/net", kind=MODEL, message="push")
    ended = typed("hub", "pull", "repo_id=ada/net")
    assert ended.status == 0, ended.err
    run = RunDirectory(ended.out.splitlines()[-1])
    assert run.state() == "finished" and run.has_checkpoint("best")
    ended = typed("hub", "pull", "repo_id=ada/net", "to=multirun/pulled/net")
    assert ended.status == 0 and ended.out.splitlines()[-1] == "multirun/pulled/net"
    assert RunDirectory("multirun/pulled/net").config() == run.config()
    again = typed("hub", "pull", "repo_id=ada/net", "to=multirun/pulled/net")
    assert again.status == 2 and "is there already" in again.err


def test_mistakes_leave_nothing(hub, typed, tmp_path):
    for arguments, message in (
        ([], "repo_id is missing"),
        (["repo_id=ada/none", "to=here"], "ada/none"),
        (["repo_id=net"], "write user/name"),
    ):
        ended = typed("hub", "pull", *arguments)
        assert ended.status == 2 and message in ended.err and len(ended.err.splitlines()) == 1
    assert not Path("here").exists()
