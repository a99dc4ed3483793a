"""A record says what happened: one run is one experiment on one set of images in one place."""

import json
import logging
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar100.record import RunDirectory

TINY = ("model.depths=[1,1,1]", "model.widths=[8,8,8]", "trainer.num_train_epochs=1")
DIGITS = ("data=digits", "data.val_size=1000", *TINY)


def tree(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in (".lock", "train.log")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


@pytest.fixture
def folders(tmp_path):
    """Two image folders of equal shape and other pixels, and the options that train on either."""
    for which in (1, 2):
        draw = np.random.default_rng(which)
        for name in ("train/a", "train/b", "test/a", "test/b"):
            place = tmp_path / f"images{which}" / name
            place.mkdir(parents=True)
            for number in range(12):
                Image.fromarray(draw.integers(0, 255, (8, 8, 3), np.uint8)).save(place / f"{number}.png")
    options = ("data=imagefolder", "data.num_classes=2", "data.resolution=8", f"data.cache_dir={tmp_path / 'cache'}")
    return tmp_path / "images1", tmp_path / "images2", (*options, *TINY, "data.val_size=0")


def test_a_finished_run_is_not_reported_for_other_images(folders, typed):
    first, second, options = folders
    assert typed("train", *options, f"data.path={first}").status == 0
    before = tree(Path("multirun"))
    ended = typed("train", *options, f"data.path={second}")
    assert ended.status == 2 and "was trained on other images" in ended.err and "study=" in ended.err
    assert tree(Path("multirun")) == before
    assert "is finished" in typed("train", *options, f"data.path={first}").out


def test_an_interrupted_run_is_not_continued_on_other_images(folders, typed):
    first, second, options = folders
    assert typed("train", *options, f"data.path={first}").status == 0
    (record,) = [RunDirectory(path.parent) for path in Path("multirun").glob("*/*/status.json")]
    record.write_status("interrupted")
    fingerprint = record.environment()["data"]["fingerprint"]
    ended = typed("train", *options, f"data.path={second}")
    assert ended.status == 2 and "other images" in ended.err
    assert record.environment()["data"]["fingerprint"] == fingerprint, "the record still names the images it saw"
    assert typed("train", *options, f"data.path={second}", "force=true").status == 0
    assert record.environment()["data"]["fingerprint"] != fingerprint


def test_a_sweep_over_images_trains_the_first_and_refuses_the_second(folders, typed):
    first, second, options = folders
    ended = typed("train", "-m", *options, f"data.path={first},{second}")
    assert ended.status != 0 and "other images" in ended.err
    (record,) = [RunDirectory(path.parent) for path in Path("multirun").glob("*/*/status.json")]
    assert record.state() == "finished", "the refused job leaves the record of the other alone"


@pytest.mark.parametrize("state", ["finished", "interrupted"])
def test_a_named_folder_that_holds_another_experiment_is_refused(state, typed):
    assert typed("train", *DIGITS, "hydra.run.dir=mine").status == 0
    RunDirectory("mine").write_status(state)
    before = tree(Path("mine"))
    ended = typed("train", *DIGITS, "hydra.run.dir=mine", "optimizer.lr=0.01")
    assert ended.status == 2 and "optimizer.lr is 0.1 there and 0.01 here" in ended.err and ended.err.count("\n") == 1
    assert tree(Path("mine")) == before
    assert typed("train", *DIGITS, "hydra.run.dir=mine", "trainer.disable_tqdm=true").status == 0


def test_a_sweeps_folder_that_holds_another_experiment_is_left_as_it_was(typed):
    named = ("hydra.sweep.subdir=mine", "seed=0,1")
    ended = typed("train", "-m", *DIGITS, *named)
    assert ended.status != 0 and "seed is 0 there and 1 here" in ended.err
    assert RunDirectory("multirun/default/mine").state() == "finished"


def test_a_checkpoint_whose_experiment_is_unknown_is_not_continued(typed):
    assert typed("train", *DIGITS, "hydra.run.dir=mine").status == 0
    RunDirectory("mine").write_status("interrupted")
    Path("mine/config.yaml").unlink()
    ended = typed("train", *DIGITS, "hydra.run.dir=mine")
    assert ended.status == 2 and "its experiment is not known" in ended.err and "force=true" in ended.err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+ema=0.9", "+ema=0.9: here it is called ema_decay"),
        ("+foo=3", "+foo=3 has no effect"),
        ("+foo.bar=3", "+foo.bar=3 has no effect"),
        ("optimizer.lr=???", "optimizer.lr=??? is no value"),
        ("+optimizer.betas=[0.9,0.99]", "sgd has no option betas; it has lr"),
        ("+scheduler.gamma=0.1", "cosine has no option gamma"),
        ("+block.drop=0.1", "BasicBlock has no option drop"),
    ],
)
def test_what_nothing_reads_is_refused(override, message, typed):
    ended = typed("train", *DIGITS, override)
    assert ended.status == 2 and message in ended.err and ended.err.count("\n") == 1, ended.err
    assert not list(Path().glob("multirun/*/*/status.json")) or "block" in override


def test_a_key_that_another_option_refers_to_is_no_mistake(typed):
    ended = typed("train", *DIGITS, "+narrow=8", "model.widths=[8,8,'${narrow}']")
    assert ended.status == 0, ended.err


def test_a_label_for_a_finished_run_is_not_dropped_without_a_word(typed):
    assert typed("train", *DIGITS, "label=first").status == 0
    assert "it keeps its label 'first'" in typed("train", *DIGITS, "label=second").out


def test_a_run_that_is_moved_while_it_trains_fails_and_writes_no_second_folder(typed):
    begun = threading.Event()

    def move():
        while not begun.is_set():
            for metrics in Path("multirun").glob("*/*/metrics.jsonl"):
                shutil.move(metrics.parent, "moved")
                begun.set()
            time.sleep(0.01)

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    ended = typed("train", *DIGITS[:-1], "trainer.num_train_epochs=200", "trainer.disable_tqdm=true")
    begun.set()
    mover.join()
    assert ended.status == 1 and "was moved or deleted" in ended.err, ended.err
    assert not list(Path("multirun").glob("*/*/status.json")), "nothing is written where it was"
    assert json.loads(Path("moved/status.json").read_text())["state"] in ("running", "failed")
    assert RunDirectory("moved").state() != "finished"


def test_jobs_that_nothing_was_heard_of_fail_the_sweep(typed, monkeypatch):
    """Their notes are lost, as on a full disk, where they ran in other processes."""
    from cifar100.sweep import sweep

    monkeypatch.setattr(sweep, "_note", lambda job: None)
    ended = typed("train", "-m", *DIGITS, "seed=0,1", "optimizer.lr=-1")
    assert ended.status == 1 and ended.out.count("failed") >= 2 and "not begun" not in ended.out
    assert "nothing was heard of it" in ended.err


def test_failures_in_this_process_count_where_the_sweeps_folder_vanishes(typed, monkeypatch):
    from cifar100.sweep.job import Job

    monkeypatch.setattr(Job, "write", lambda self, folder: shutil.rmtree(folder, ignore_errors=True))
    ended = typed("train", "-m", *DIGITS, "seed=0,1", "optimizer.lr=-1")
    assert ended.status == 1 and "2 failed" in ended.out and "lr=-1" in ended.err


def test_threads_are_kept_or_the_difference_is_told(tmp_path, monkeypatch, caplog):
    import torch

    from cifar100.app.agreement import keep_threads

    record = RunDirectory(tmp_path)
    record.write_environment({"hardware": {"threads": 1}})
    record.save_checkpoint("last", {"w": torch.zeros(1)}, {})
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    chosen = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    keep_threads(record)
    assert chosen == [1]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with caplog.at_level(logging.WARNING):
        keep_threads(record)
    assert chosen == [1] and "began with 1 threads; with 2" in caplog.text


def test_a_last_batch_of_one_image_is_refused_where_a_batch_norm_cannot_take_it(typed):
    """437 images in batches of 4 leave one, which the last of these stages sees as a single pixel."""
    deep = ("model.depths=[1,1,1,1]", "model.widths=[8,8,8,8]", "data=digits", "data.val_size=1000")
    ended = typed("train", *deep, "trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=4")
    assert ended.status == 2 and "leaves a batch of one image" in ended.err and "such as 3" in ended.err, ended.err
    small = ("trainer.num_train_epochs=1", "trainer.per_device_train_batch_size=4")
    assert typed("train", *DIGITS[:2], "model.depths=[1]", "model.widths=[4]", *small).status == 0


def test_more_threads_than_free_cores_are_told_once(monkeypatch, caplog):
    from cifar100.app import agreement

    monkeypatch.setattr(agreement, "cores", lambda: 8)
    monkeypatch.setattr(agreement.torch, "get_num_threads", lambda: 4)
    for load, count in ((3.6, 0), (5.7, 1), (7.9, 1)):
        monkeypatch.setattr(agreement, "_compared", False)
        monkeypatch.setattr(agreement.os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        caplog.clear()
        agreement.warn_of_threads()
        agreement.warn_of_threads()
        assert len(caplog.records) == count
    assert "4 threads, but about 1 of 8 cores are free; OMP_NUM_THREADS=1" in caplog.text
    monkeypatch.setattr(agreement.torch, "get_num_threads", lambda: 1)
    caplog.clear()
    agreement._compared = False
    agreement.warn_of_threads()
    assert not caplog.records, "one thread needs no advice"
