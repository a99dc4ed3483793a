"""Sentences never say more than the interval of their row."""

import re

import pytest

from cifar100.report.claims.comparison import (
    VERDICTS,
    compare,
    findings,
    listed,
    mean_difference,
    outlook,
    pair_sentences,
    tally,
)
from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study

ENGLISH, CHINESE = load_words("en"), load_words("zh")
ECA = "EfficientChannelAttention"


@pytest.fixture(scope="module")
def study(synthetic, tmp_path_factory):
    """A row for each verdict; accuracies are set rather than drawn, so that the verdicts are certain."""
    folder = tmp_path_factory.mktemp("verdicts")
    wave = [0.0, 0.004, -0.003]
    same = {"architecture": {"sha256": "ab" * 32, "train": [1.0, 2.0], "eval": [3.0]}}

    def row(label, values, changes=None, seeds=(0, 1, 2), evaluation=None):
        for seed, value in zip(seeds, values, strict=True):
            synthetic.write_run(
                folder, seed=seed, label=label, row=f"{row.count:02}_{label}", classes=10,
                changes={"model.widths": [16, 32, 64 + row.count], **(changes or {})},
                evaluation={"test/top1": value, **(evaluation or {})},
            )  # fmt: skip
        row.count += 1

    row.count = 0
    row("base", [0.6 + each for each in wave], evaluation=same)
    row("better", [0.65 + 1.1 * each for each in wave])
    row("worse", [0.55 + 0.9 * each for each in wave])
    row("open", [0.603, 0.61, 0.59])
    row("twin", [0.65, 0.66, 0.67], {"model.stem_width": 16}, evaluation=same)
    row("single", [0.7], seeds=[1])
    row("two", [0.6, 0.64], seeds=[7, 8])
    return read_study(folder)


@pytest.fixture(scope="module")
def by_label(study):
    return {each.row.label: each for each in findings(study)}


def test_each_case_gets_its_verdict(by_label):
    assert {label: each.verdict for label, each in by_label.items()} == {
        "better": "better", "worse": "worse", "open": "undecided", "two": "no_interval", "twin": "identical",
        "single": "one_seed",
    }  # fmt: skip
    assert {each.verdict for each in by_label.values()} == set(VERDICTS)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_only_intervals_without_zero_claim_a_difference(study, words):
    differences, found = compare(study), findings(study)
    for each in found:
        difference = differences[each.row.label]
        judged = difference is not None and difference.has_interval
        assert (each.verdict == "better") == (judged and difference.low > 0)
        assert (each.verdict == "worse") == (judged and difference.high < 0)
        assert each.mean == pytest.approx(mean_difference(study, each.row))


def test_rows_of_one_verdict_are_told_in_one_sentence(write, tmp_path):
    for place, top1 in enumerate([0.5, 0.7, 0.72, 0.74]):
        for seed in range(3):
            write(seed=seed, label=f"D{place}", row=f"a_{place}", classes=10,
                changes={"model.widths": [16 + place, 32, 64]}, evaluation={"test/top1": top1 + 0.001 * seed},
            )  # fmt: skip
    study = read_study(tmp_path)
    (sentence,) = tally(findings(study), ENGLISH)
    assert sentence == "Distinguishably better than the baseline: D1, D2, D3 (3 designs)."
    (pairs,) = pair_sentences(study, ENGLISH)
    assert pairs.startswith("Of all 6 pairs, 6 are distinguishable") and "D3 over D1 (4.00)" in pairs


def test_what_is_open_says_what_would_decide_it(by_label):
    each = by_label["open"]
    assert each.seeds_needed is None or 3 < each.seeds_needed < 100
    assert all(by_label[label].seeds_needed is None for label in by_label if label != "open")
    sentences = outlook(list(by_label.values()), ENGLISH)
    assert len(sentences) == (each.seeds_needed is not None)
    assert not sentences or f"open {each.seeds_needed}" in sentences[0]


def test_rows_that_are_twins_of_another_row_say_so(write, synthetic, tmp_path):
    """Equal seeds give both the same results, so a twin takes no part in the comparison."""
    same = {"architecture": {"sha256": "cd" * 32, "train": [1.0], "eval": [2.0]}}
    for label, size, top1 in (("none", None, 0.6), ("k=3", 3, 0.61), ("adaptive", None, 0.612)):
        for seed in range(3):
            attention = {} if label == "none" else {
                "model.stage.block.attention": synthetic.attention("eca", ECA, kernel_size=size)
            }  # fmt: skip
            write(seed=seed, label=label, classes=10, top1=top1, changes=attention,
                row=f"eca_{('none', 'k=3', 'adaptive').index(label)}", evaluation=same if attention else None,
            )  # fmt: skip
    study = read_study(tmp_path)
    last = findings(study)[-1]
    assert (last.row.label, last.verdict, last.row.identical_to) == ("adaptive", "identical", "k=3")
    assert compare(study)["adaptive"] is None and compare(study)["k=3"] is not None


def test_the_tally_names_every_row_once(study):
    for words in (ENGLISH, CHINESE):
        sentences = " ".join(tally(findings(study), words))
        assert all(len(re.findall(rf"\b{row.label}\b", sentences, flags=re.ASCII)) >= 1 for row in study.rows[1:])
    assert tally([], ENGLISH) == []


def test_long_lists_are_cut_and_counted():
    assert (
        listed(["a"], ENGLISH) == "a"
        and listed(["a", "b"], ENGLISH) == "a, b"
        and listed(["a", "b"], CHINESE) == "a、b"
    )
    assert listed(list("abcde"), ENGLISH, most=3) == "a, b, c and 2 more"
    assert listed(["a, k=3", "b"], ENGLISH) == "a, k=3; b"
