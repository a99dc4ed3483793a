import os
import shutil
import threading
import time

import pytest

from cifar100.record import RecordError, RunDirectory, RunLocked
from cifar100.record.lock import is_held

HOLDER = """
import sys, time
from cifar100.record import RunDirectory
run = RunDirectory(sys.argv[1])
with run.lock():
    run.write_status("running")
    print("ready", flush=True)
    time.sleep(60)
"""
FORKING_HOLDER = HOLDER.replace(
    "print(",
    """import os
    if os.fork() == 0:
        os.close(1), os.close(2), time.sleep(10), os._exit(0)
    print(""",
)


def test_a_second_process_is_refused_and_told_who_holds_the_run(run, other_process):
    holder = other_process(HOLDER, str(run.path))
    with pytest.raises(RunLocked, match=rf"run: process {holder.pid} on \S+ works on this run; wait") as caught:
        with run.lock():
            pass
    assert isinstance(caught.value, ValueError) and str(caught.value).isprintable()
    assert run.state() == "running"


@pytest.mark.parametrize("code", [HOLDER, FORKING_HOLDER], ids=["alone", "with a forked worker"])
def test_sigkill_frees_the_lock_and_the_run_reads_as_interrupted(run, other_process, code):
    holder = other_process(code, str(run.path))
    assert run.state() == "running"
    holder.kill()
    holder.wait()
    patience = time.monotonic() + 20  # a forked worker lets go of the lock as soon as it is given a processor
    while run.state() == "running" and time.monotonic() < patience:
        time.sleep(0.01)
    assert run.state() == "interrupted"
    with run.lock():
        assert run.state() == "running", "what the dead process wrote, now under a living one"


def test_the_lock_is_exclusive_within_a_process_and_free_after_it(run):
    with run.lock():
        with pytest.raises(RunLocked, match=str(os.getpid())), RunDirectory(run.path).lock():
            pass
        assert is_held(run.path / ".lock")
    assert not is_held(run.path / ".lock")
    with pytest.raises(KeyError), run.lock():
        raise KeyError
    with run.lock():
        pass
    assert (run.path / ".lock").read_bytes() == b"", "a published run would carry a host name"


def test_a_forked_child_that_leaves_the_block_does_not_free_the_parents_lock(run):
    with run.lock():
        child = os.fork()
        if child != 0:
            os.waitpid(child, 0)
            assert is_held(run.path / ".lock")
    if child == 0:
        os._exit(0)


def test_asking_for_the_state_never_keeps_a_run_from_starting(run):
    run.write_status("running")
    with run.lock():
        pass
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            run.state()

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(30):
            with run.lock():
                pass
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def test_asking_needs_no_right_to_write_and_writes_nothing(run):
    run.write_status("running")
    assert run.state() == "interrupted" and not (run.path / ".lock").exists()


def test_a_run_directory_deleted_while_waiting_is_made_anew(run):
    entered, leave = threading.Event(), threading.Event()

    def first():
        with run.lock():
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=first)
    holder.start()
    entered.wait(10)
    shutil.rmtree(run.path)
    with run.lock():
        run.write_status("running")
        assert run.state() == "running", "the lock that is held is the one that stands on disk"
        leave.set()
        holder.join()
        assert run.state() == "running"


def test_a_root_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    below_a_file = RunDirectory(tmp_path / "file" / "run")
    with pytest.raises(RecordError, match="choose another place with root="), below_a_file.lock():
        pass
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(tmp_path / "file")
    with pytest.raises(RecordError, match="choose another root="), RunDirectory(tmp_path / "run").lock():
        pass


def test_refusal_is_quick(run):
    with run.lock():
        start = time.monotonic()
        with pytest.raises(RunLocked), run.lock():
            pass
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("kind", ["hard link", "pipe"])
def test_a_lock_that_is_no_plain_file_of_its_own_is_refused_untouched(kind, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious\n" * 9)
    run = tmp_path / "run"
    run.mkdir()
    if kind == "pipe":
        os.mkfifo(run / ".lock")
    else:
        os.link(precious, run / ".lock")
    with pytest.raises(RecordError, match="is no plain file of its own; delete it"), RunDirectory(run).lock():
        pass
    assert precious.read_text() == "precious\n" * 9
