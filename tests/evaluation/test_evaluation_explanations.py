"""The tables and pictures that explain a run, against numbers counted by hand."""

import struct

import pytest
import torch
from scipy.stats import norm

from cifar100.evaluation.explanations import misclassified as mistakes_module
from cifar100.evaluation.explanations.confused import confused_pairs
from cifar100.evaluation.explanations.explain import EXPLANATIONS, check_explanations, write_explanations
from cifar100.evaluation.explanations.hardest import hardest
from cifar100.evaluation.explanations.misclassified import misclassified
from cifar100.evaluation.explanations.tiles import percent, shortened

NAMES = ["ape", "bee", "=cat", "dog"]
# Images of each class and what they were taken for: 4 apes (bee, bee, =cat, ape), 2 bees (ape, bee), 1 =cat (right).
LABELS = [0, 0, 0, 0, 1, 1, 2]
ANSWERS = [1, 1, 2, 0, 0, 1, 2]
MARGINS = [1.0, 3.0, 2.0, 1.0, 4.0, 1.0, 1.0]


def logits() -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(ANSWERS), 4) * torch.tensor(MARGINS)[:, None]


@pytest.fixture
def subject(make_subject):
    return make_subject(logits(), LABELS, NAMES, superclass_of=(0, 0, 1, 1))


def table(subject, name):
    return subject.run.record.read_csv(subject.file(name))


def test_confused_pairs_count_both_directions(subject, caplog):
    with caplog.at_level("INFO"):
        assert confused_pairs(subject) == ["confused_pairs.csv"]
    first, second = table(subject, "confused_pairs.csv")
    assert (first["class_a"], first["class_b"], first["a_as_b"], first["b_as_a"]) == ("ape", "bee", "2", "1")
    assert (first["total"], float(first["share"]), first["same_superclass"]) == ("3", 3 / 6, "True")
    assert (second["class_a"], second["class_b"], second["total"]) == ("ape", "'=cat", "1")
    assert (float(second["share"]), second["same_superclass"]) == (1 / 5, "False")
    assert "confused: ape and bee, 3 times (2 and 1)" in caplog.messages


def test_hardest_classes_come_first_with_wilsons_interval(subject):
    assert hardest(subject) == ["hardest_classes.csv", "hardest_superclasses.csv"]
    rows = table(subject, "hardest_classes.csv")
    assert [row["name"] for row in rows] == ["ape", "bee", "'=cat"]  # dog has no images
    assert [float(row["top1"]) for row in rows] == [0.25, 0.5, 1.0]
    assert (rows[0]["taken_for"], float(rows[0]["taken_for_share"])) == ("bee", 0.5)
    assert (rows[2]["taken_for"], rows[2]["taken_for_share"]) == ("", "0.0")
    z, share, n = norm.isf(0.025), 0.25, 4
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    assert [float(rows[0][key]) for key in ("low", "high")] == pytest.approx([middle - half, middle + half])
    parents = table(subject, "hardest_superclasses.csv")
    assert [(row["name"], float(row["top1"])) for row in parents] == [("kind 0", 2 / 6), ("kind 1", 1.0)]
    assert float(parents[0]["superclass_top1"]) == 5 / 6


def test_mistakes_are_ordered_by_confidence(subject):
    assert misclassified(subject) == ["misclassified.csv", "misclassified.png"]
    rows = table(subject, "misclassified.csv")
    assert [row["index"] for row in rows] == ["4", "1", "2", "0"]
    assert (rows[0]["true"], rows[0]["predicted"], rows[0]["true_rank"]) == ("bee", "ape", "2")
    chosen = logits()[4].double().softmax(0)
    assert float(rows[0]["confidence"]) == pytest.approx(chosen[0].item())
    assert float(rows[0]["true_probability"]) == pytest.approx(chosen[1].item())


def test_a_picture_shows_no_more_than_samples(make_subject, monkeypatch):
    seen = []
    monkeypatch.setattr(mistakes_module, "tile_figure", lambda rows, title, columns: seen.extend(rows))
    monkeypatch.setattr(mistakes_module, "png", lambda figure: b"a figure")
    misclassified(make_subject(logits(), LABELS, NAMES, samples=3))
    captions = [tile.caption for row in seen for tile in row]
    assert captions[0] == "bee\nas ape, 95%" and len(captions) == 3


def test_without_mistakes_there_is_a_table_and_no_picture(make_subject):
    right = torch.nn.functional.one_hot(torch.tensor(LABELS), 4) * 9.0
    subject = make_subject(right, LABELS, NAMES)
    assert misclassified(subject) == ["misclassified.csv"] and table(subject, "misclassified.csv") == []
    assert confused_pairs(subject) == ["confused_pairs.csv"] and table(subject, "confused_pairs.csv") == []


def test_without_superclasses_no_column_speaks_of_them(make_subject):
    subject = make_subject(logits(), LABELS, NAMES)
    assert hardest(subject) == ["hardest_classes.csv"]
    confused_pairs(subject)
    assert not any("superclass" in column for column in table(subject, "hardest_classes.csv")[0])
    assert not any("superclass" in column for column in table(subject, "confused_pairs.csv")[0])


def test_what_was_written_is_listed_with_its_checkpoint(subject):
    write_explanations(subject, ["hardest"])
    write_explanations(subject, ["confused", "misclassified"])
    told = subject.run.record.read_json("explanations/explanations.json")
    assert list(told) == ["hardest", "confused", "misclassified"]
    assert told["confused"] == {
        "files": ["confused_pairs.csv"],
        "checkpoint": "best",
        "epoch": 3,
        "data_fingerprint": "f" * 64,
    }
    folder = subject.run.record.path / "evaluation" / "explanations"
    named = [file for each in told.values() for file in each["files"]]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*named, "explanations.json"])


def test_a_damaged_list_is_replaced(subject):
    subject.run.record.write_text("explanations/explanations.json", "{")
    write_explanations(subject, ["confused"])
    assert list(subject.run.record.read_json("explanations/explanations.json")) == ["confused"]


def test_the_held_out_images_have_a_folder_of_their_own(subject):
    object.__setattr__(subject, "split", "val")
    assert subject.file("x.csv") == "val/explanations/x.csv"


@pytest.mark.parametrize("name", ["$\\frac", "<script>", "a\nb\x1b[31m", "%s{}", "very_long_name_of_a_class_indeed"])
def test_names_are_drawn_as_they_are_and_fit(make_subject, name):
    subject = make_subject(logits(), LABELS, [name, *NAMES[1:]], channels=3, size=32)
    misclassified(subject)
    content = subject.run.record.read_bytes(subject.file("misclassified.png"))
    assert content[:4] == b"\x89PNG" and struct.unpack(">II", content[16:24])[0] < 1500
    assert len(shortened(name)) <= 16 and shortened(name).isprintable()


def test_shares_are_not_rounded_to_all_or_nothing():
    assert [percent(each) for each in (0.0, 0.004, 0.016, 0.985, 0.9999, 1.0)] == [
        "0%",
        "<1%",
        "2%",
        "98%",
        ">99%",
        "100%",
    ]


@pytest.mark.parametrize(
    ("names", "samples", "message"),
    [
        (["gradcamm"], 16, "explain=gradcamm is unknown; did you mean gradcam?"),
        ("confuse", 16, "did you mean confused?"),
        (["zzz"], 16, "choose one of confused, gradcam, hardest, misclassified"),
        (7, 16, "explain=7 is unknown"),
        ([], 0, "samples=0 must be a whole number from 1 to 400"),
        ([], 2.5, "samples=2.5"),
        ([], True, "samples=True"),
    ],
)
def test_mistakes_are_one_line(names, samples, message):
    with pytest.raises(ValueError) as caught:
        check_explanations(names, samples)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_names_may_be_one_several_or_none():
    assert check_explanations("hardest", 16) == ("hardest",)
    assert check_explanations(["misclassified", "confused", "confused"], 16) == ("confused", "misclassified")
    assert check_explanations(None, 16) == check_explanations([], 16) == ()
    assert set(EXPLANATIONS) == {"gradcam", "confused", "hardest", "misclassified"}
