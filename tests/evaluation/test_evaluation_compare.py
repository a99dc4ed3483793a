"""Two runs compared class by class: the numbers, the words, which predictions are taken, and what is refused."""

import pytest
import torch

from cifar100.evaluation.explanations.compare import compare_runs
from cifar100.evaluation.explanations.other_run import find_other, predictions_of
from cifar100.evaluation.explanations.paired import paired_difference
from cifar100.evaluation.predict import Predictions
from cifar100.record import RecordError, RunDirectory

LABELS = [0] * 30 + [1] * 30 + [3] * 4  # no image of class 2


def answered(right: set[int]) -> torch.Tensor:
    """Logits that are right for these images and wrong for the others."""
    answers = [label if index in right else (label + 1) % 4 for index, label in enumerate(LABELS)]
    return torch.nn.functional.one_hot(torch.tensor(answers), 4).float()


@pytest.fixture
def subject(make_subject):
    """Right on 25 images of class 0, on 10 of class 1 and on all of class 3."""
    return make_subject(
        answered({*range(25), *range(30, 40), *range(60, 64)}), LABELS, ["a", "b", "c", "=d"], (0, 0, 1, 1)
    )


@pytest.fixture
def other(tmp_path) -> RunDirectory:
    """Right on image 29 of class 0 alone, on 12 of class 1 and on all of class 3; evaluated and recorded."""
    run = RunDirectory(tmp_path / "another run")
    run.write_config({"data": {"val_size": 10}})
    record(run, answered({29, *range(30, 42), *range(60, 64)}))
    return run


def record(run, logits, labels=None, checkpoint="best", fingerprint="f" * 64, precision="bf16"):
    labels = torch.tensor(LABELS) if labels is None else labels
    run.write_tensors("predictions.safetensors", {"logits": logits, "labels": labels}, {"checkpoint": checkpoint})
    run.write_json("metrics.json", {"data_fingerprint": fingerprint, "precision": precision})


def never():
    raise AssertionError("what is on record was evaluated again")


def test_numbers_are_those_counted_by_hand(subject, other, caplog):
    theirs = predictions_of(other, subject.run, "test", "best", None, never)
    with caplog.at_level("INFO"):
        total, rows = compare_runs(subject, other, theirs)
    assert (total.n, total.first_only, total.second_only) == (64, 25, 3)
    assert total == paired_difference(64, 25, 3)
    written = subject.run.record.read_csv("explanations/comparison/another run.csv")
    assert [row["name"] for row in written] == ["a", "b", "'=d"]
    assert [(row["n"], row["only_this_right"], row["only_other_right"]) for row in written] == [
        ("30", "25", "1"),
        ("30", "0", "2"),
        ("4", "0", "0"),
    ]
    assert [float(written[0][key]) for key in ("top1", "other_top1", "difference")] == [25 / 30, 1 / 30, 24 / 30]
    corrected = paired_difference(30, 25, 1, comparisons=3)  # classes that have images
    assert [float(written[0][key]) for key in ("low", "high", "p")] == [corrected.low, corrected.high, corrected.p]
    assert float(written[0]["p_adjusted"]) == pytest.approx(3 * corrected.p)
    assert [row["distinguishable"] for row in written] == ["True", "False", "False"]
    assert [row[-1] for row in rows] == [True, False, False]
    assert subject.run.record.read_bytes("explanations/comparison/another run.png")[:4] == b"\x89PNG"
    said = next(message for message in caplog.messages if message.startswith("compared with another run: "))
    assert (
        "top-1 +34.38 points" in said
        and "1 of 3 classes distinguishable (corrected for 3 comparisons); better: a; these" in said
    )
    assert "other seeds" in said


def test_no_difference_is_said_plainly(subject, other, caplog):
    with caplog.at_level("INFO"):
        compare_runs(subject, other, subject.predictions)
    said = next(message for message in caplog.messages if message.startswith("compared"))
    assert "top-1 +0.00 points" in said and ": not distinguishable; none of 3 classes distinguishable (corr" in said


def test_many_distinguishable_classes_are_not_all_named(make_subject, other, caplog):
    labels = [index // 20 for index in range(20 * 12)]
    names = [f"class {index}" for index in range(12)]
    subject = make_subject(torch.nn.functional.one_hot(torch.tensor(labels), 12), labels, names)
    with caplog.at_level("INFO"):
        compare_runs(subject, other, Predictions(subject.predictions.logits.roll(1, 1), subject.predictions.labels))
    assert "12 of 12 classes distinguishable" in caplog.text and "better: class 0, class 1" in caplog.text
    assert "class 7 and 4 more;" in caplog.text


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [({"checkpoint": "last"}, {}), ({}, {"checkpoint": "last"}), ({}, {"precision": "float32"})],
    ids=["of other weights", "asked for others", "in another format"],
)
def test_predictions_that_do_not_fit_are_made_again_and_not_recorded(subject, other, recorded, asked):
    record(other, answered(set()), **recorded)
    before = {path: path.stat().st_mtime_ns for path in other.path.rglob("*")}
    options = {"checkpoint": "best", "precision": None} | asked
    made = predictions_of(other, subject.run, "test", evaluate=lambda: (subject.run, subject.predictions), **options)
    assert made is subject.predictions
    assert {path: path.stat().st_mtime_ns for path in other.path.rglob("*")} == before


def test_a_run_without_held_out_images_is_taken_as_it_ended(subject, other):
    other.write_config({"data": {"val_size": 0}})
    record(other, answered(set()), checkpoint="last")
    assert not predictions_of(other, subject.run, "test", "best", None, never).correct.any()


@pytest.mark.parametrize("fingerprint", ["0" * 64, None, {"a": 1}])
def test_other_images_are_refused(subject, other, fingerprint):
    record(other, answered(set()), fingerprint=fingerprint)
    with pytest.raises(ValueError, match="about other images .* compare runs on the same data set") as caught:
        predictions_of(other, subject.run, "test", "best", None, never)
    assert "\n" not in str(caught.value)


def test_other_labels_are_refused(subject, other):
    record(other, answered(set()), labels=torch.tensor(LABELS).flip(0))
    with pytest.raises(ValueError, match="evaluated on other test images"):
        predictions_of(other, subject.run, "test", "best", None, never)


@pytest.mark.parametrize(
    "tensors",
    [
        {"logits": torch.zeros(64, 5), "labels": torch.tensor(LABELS)},
        {"logits": torch.zeros(64, 4), "labels": torch.tensor(LABELS).float()},
        {"logits": torch.zeros(64, 4, 1), "labels": torch.tensor(LABELS)},
        {"logits": torch.zeros(64, 4)},
        {},
    ],
)
def test_damaged_predictions_are_refused(subject, other, tensors):
    other.write_tensors("predictions.safetensors", tensors, {"checkpoint": "best"})
    with pytest.raises(RecordError, match="not one logit for each of 4 classes") as caught:
        predictions_of(other, subject.run, "test", "best", None, never)
    assert "\n" not in str(caught.value)


def test_one_other_run_is_named(subject, other):
    subject.run.record.write_config({})
    assert find_other(other.path, subject.run.record).path == other.path
    with pytest.raises(ValueError, match="is the evaluated run itself"):
        find_other(subject.run.record.path, subject.run.record)
    with pytest.raises(ValueError, match="names 2 runs; name one, such as .*a run"):
        find_other(other.path.parent, subject.run.record)
    with pytest.raises(ValueError, match="names no run directory"):
        find_other(other.path / "nothing", subject.run.record)
