"""Nothing is written through a link, pipe or device that stands where a run's log or a report belongs."""

import logging
import os

import pytest

from cifar100.app.session import run_log
from cifar100.base.errors import RecordError, UserError
from cifar100.report.build import report_folder


def _symbolic_link(path, other):
    path.symlink_to(other)


def _hard_link(path, other):
    path.hardlink_to(other)


def _dangling_link(path, other):
    path.symlink_to(other.with_name("new"))


def _pipe(path, other):
    os.mkfifo(path)


def _device(path, other):
    path.symlink_to("/dev/full")


def _folder(path, other):
    path.mkdir()


@pytest.mark.parametrize("make", [_symbolic_link, _hard_link, _dangling_link, _pipe, _device, _folder])
def test_a_log_is_written_to_a_plain_file_of_its_own_only(make, tmp_path):
    other = tmp_path / "elsewhere"
    other.write_text("kept")
    make(tmp_path / "train.log", other)
    with pytest.raises(RecordError, match="no plain file of its own; delete it"), run_log(tmp_path / "train.log", True):
        pytest.fail("the work began")
    assert other.read_text() == "kept" and not (tmp_path / "new").exists()


def test_a_pipe_that_someone_reads_is_no_log(tmp_path):
    os.mkfifo(tmp_path / "train.log")
    reader = os.open(tmp_path / "train.log", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(RecordError), run_log(tmp_path / "train.log", True):
        pytest.fail("the work began")
    os.close(reader)


def test_a_log_goes_on_where_it_stopped(tmp_path):
    for line in ("first", "second"):
        with run_log(tmp_path / "train.log", True):
            logging.getLogger("cifar100").info(line)
    lines = (tmp_path / "train.log").read_text().splitlines()
    assert [line.split()[-1] for line in lines] == ["first", "second"]


@pytest.mark.parametrize("place", ["report", "report/figures", "report/tables"])
@pytest.mark.parametrize("make", [_symbolic_link, _pipe])
def test_a_report_is_not_written_through_links(place, make, tmp_path):
    other, study = tmp_path / "elsewhere", tmp_path / "study"
    other.mkdir()
    (study / place).parent.mkdir(parents=True)
    make(study / place, other)
    with pytest.raises(UserError, match=f"{place} is a link or no folder"):
        report_folder(study)
    assert not list(other.iterdir())
