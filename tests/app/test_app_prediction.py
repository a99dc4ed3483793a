"""python -m cifar100 predict: classes and probabilities of own pictures, by a run of whatever name."""

import csv
import io
from pathlib import Path

import pytest
from PIL import Image

from cifar100.app.prediction import load_classifier
from cifar100.record import RunDirectory

NAMES = [f"digit {index}" for index in range(10)]


@pytest.fixture
def folder(typed, digits_run, tmp_path: Path) -> Path:
    """Where commands are typed: a recorded run, and two pictures."""
    digits_run(tmp_path / "multirun" / "digits" / "run")
    for number, size in enumerate([(8, 8), (60, 40)]):
        Image.effect_noise(size, 80).save(tmp_path / f"it's {number}.png")
    return tmp_path


def test_prints_a_line_for_each_picture(typed, folder):
    ended = typed("predict", "run_dir=multirun/digits", "it's 1.png", "it's 0.png", "top=3")
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["it's 1.png", "it's 0.png"]
    assert all(line.count("digit ") == line.count("%") == 3 for line in lines)


def test_as_csv(typed, folder):
    ended = typed("predict", "run_dir=multirun/digits/run", "images=*.png", "format=csv", "top=10")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert len(rows) == 20 and {row["class"] for row in rows} == set(NAMES)
    assert sum(float(row["probability"]) for row in rows[:10]) == pytest.approx(1)
    assert [row["rank"] for row in rows[:2]] == ["1", "2"]


def test_a_classifier_knows_its_images(folder):
    classifier = load_classifier(folder / "multirun" / "digits" / "run")
    assert (classifier.class_names, classifier.mean, classifier.resolution) == (tuple(NAMES), (0.3,), 8)
    assert not classifier.training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run_dir=multirun/digits"], "images is missing"),
        (["images=it.png"], "run_dir is missing"),
        (["run_dir=multirun/digits", "its 0.png"], "did you mean it's 0.png"),
        (["run_dir=multirun/digist", "it's 0.png"], "multirun has digits"),
        (["run_dir=multirun/digits", "it's 0.png", "top=0"], "top=0"),
        (["run_dir=multirun/digits", "it's 0.png", "format=xml"], "table, csv"),
    ],
)
def test_mistakes_are_one_line(typed, folder, arguments, message):
    ended = typed("predict", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.splitlines()) == 1


def test_several_runs_are_not_one(typed, folder):
    other = RunDirectory(folder / "multirun" / "digits" / "other")
    other.write_status("finished")
    ended = typed("predict", "run_dir=multirun/digits", "it's 0.png")
    assert ended.status == 2 and "names 2 runs; name one" in ended.err
