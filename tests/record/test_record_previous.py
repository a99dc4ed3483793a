"""A damaged last checkpoint costs the steps since the one before it, not the run."""

import pytest
import torch

from cifar100.record import RecordError, RunDirectory


def damage(run: RunDirectory) -> None:
    path = run.checkpoint_path("last")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)  # the same file, not a new one: the previous checkpoint must not share it


def saved(run: RunDirectory, *epochs: int) -> None:
    for epoch in epochs:
        run.save_checkpoint("last", {"weight": torch.full((64,), float(epoch))}, {"epoch": epoch})


def test_a_damaged_last_checkpoint_falls_back_to_the_one_before_it_and_says_so(tmp_path, caplog):
    run = RunDirectory(tmp_path)
    saved(run, 1, 2)
    damage(run)
    tensors, state = RunDirectory(tmp_path).load_checkpoint("last")
    assert state == {"epoch": 1} and torch.equal(tensors["weight"], torch.ones(64))
    assert "last.safetensors" in caplog.text and "falling back" in caplog.text


def test_a_cut_last_checkpoint_falls_back_too(tmp_path):
    run = RunDirectory(tmp_path)
    saved(run, 1, 2)
    path = run.checkpoint_path("last")
    path.write_bytes(path.read_bytes()[:40])
    assert run.load_checkpoint("last")[1] == {"epoch": 1}


def test_saving_after_a_fall_back_never_keeps_the_damaged_one(tmp_path):
    saved(RunDirectory(tmp_path), 1, 2)
    damage(RunDirectory(tmp_path))
    run = RunDirectory(tmp_path)
    run.load_checkpoint("last")
    saved(run, 3)
    damage(run)
    assert RunDirectory(tmp_path).load_checkpoint("last")[1] == {"epoch": 1}


def test_a_damaged_first_checkpoint_is_refused(tmp_path):
    run = RunDirectory(tmp_path)
    saved(run, 1)
    damage(run)
    with pytest.raises(RecordError, match="altered or damaged"):
        run.load_checkpoint("last")


def test_force_removes_both(tmp_path):
    run = RunDirectory(tmp_path)
    saved(run, 1, 2)
    run.clear()
    assert not run.has_checkpoint("last")
    with pytest.raises(RecordError, match="missing"):
        run.load_checkpoint("last")
