"""Sentences never say more than the interval of their row."""

import math
import re

import numpy
import pytest
from scipy import stats

from cifar100.report.claims.comparison import VERDICTS, compare
from cifar100.report.claims.findings import findings, listed, scatter, tally
from cifar100.report.claims.statistics import seeds_needed
from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study

ENGLISH, CHINESE = load_words("en"), load_words("zh")
CLAIMS = {"en": ("distinguishably better", "distinguishably worse"), "zh": ("可区分地优于", "可区分地劣于")}
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
    row("uniform", [0.625, 0.629, 0.622])
    row("twin", [0.65, 0.66, 0.67], {"model.stem_width": 16}, evaluation=same)
    row("single", [0.7], seeds=[1])
    row("stranger", [0.7, 0.71], seeds=[7, 8])
    return read_study(folder)


@pytest.fixture(scope="module")
def said(study):
    return {each.row.label: each for each in findings(study, ENGLISH)}


def test_each_case_gets_its_verdict(said):
    assert {label: each.verdict for label, each in said.items()} == {
        "better": "better", "worse": "worse", "open": "undecided", "uniform": "uniform", "twin": "identical",
        "single": "one_seed", "stranger": "no_common_seed",
    }  # fmt: skip
    assert {each.verdict for each in said.values()} == set(VERDICTS)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_only_intervals_without_zero_claim_a_difference(study, words):
    differences = compare(study)
    better, worse = CLAIMS[words.language]
    for each in findings(study, words):
        difference = differences[each.row.label]
        alone = each.verdict != "identical" and difference is not None
        assert (better in each.sentence) == (alone and difference.low > 0)
        assert (worse in each.sentence) == (alone and difference.high < 0)
        assert each.row.label in each.sentence and study.baseline.label in each.sentence


def test_sentences_have_the_numbers_of_the_interval(study, said):
    differences = numpy.array([0.65, 0.6544, 0.6467]) - numpy.array([0.6, 0.604, 0.597])
    half = stats.t.ppf(1 - 0.05 / 5 / 2, 2) * differences.std(ddof=1) / math.sqrt(3)
    mean = differences.mean()
    low, high = (f"{100 * (mean + side * half):+.2f}" for side in (-1, 1))
    assert f"{100 * mean:+.2f} percentage points of test top-1 (95% interval {low} to {high} over 3" in (
        said["better"].sentence
    ), "five rows have an interval, so each is widened for five"


def test_what_is_open_says_that_it_is_not_equality_and_what_would_decide_it(said):
    each = said["open"]
    assert "not distinguishable" in each.sentence and "does not show that they are equal" in each.sentence
    assert f"about {each.seeds_needed:,} paired seeds" in each.sentence
    assert each.seeds_needed > 3, "what three seeds leave open as it stands"


def test_seeds_that_left_a_large_difference_open_are_not_enough_to_decide_it():
    """Three seeds find an effect of 5.5 deviations at 0.05 / 7 in 48% of cases, four in 95% (200,000 simulated studies
    of each size)."""
    assert seeds_needed(1.0, 5.5, alpha=0.05 / 7) == 4


def test_what_cannot_be_compared_claims_nothing(said):
    assert "One pair shows no scatter" in said["single"].sentence and "+9.60" in said["single"].sentence
    assert "nothing is claimed" in said["stranger"].sentence and "%" not in said["stranger"].sentence
    assert "+2.50" in said["uniform"].sentence and "interval +" not in said["uniform"].sentence
    assert "the same network" in said["twin"].sentence and "chance alone" in said["twin"].sentence
    assert all(said[label].seeds_needed is None for label in said if label != "open")


def test_rows_that_are_twins_of_another_row_say_so(synthetic, tmp_path):
    same = {"architecture": {"sha256": "cd" * 32, "train": [1.0], "eval": [2.0]}}
    for label, size, top1 in (("none", None, 0.6), ("k=3", 3, 0.61), ("adaptive", None, 0.612)):
        for seed in range(2):
            attention = {} if label == "none" else {
                "model.stage.block.attention": synthetic.attention("eca", ECA, kernel_size=size)
            }  # fmt: skip
            synthetic.write_run(
                tmp_path, seed=seed, label=label, classes=10, top1=top1, changes=attention,
                row=f"eca_{('none', 'k=3', 'adaptive').index(label)}", evaluation=same if attention else None,
            )  # fmt: skip
    last = findings(read_study(tmp_path), ENGLISH)[-1]
    assert last.row.label == "adaptive" and last.verdict != "identical"
    assert "The networks and recipes of adaptive and k=3 are identical" in last.sentence


def test_the_tally_names_every_row_once(study):
    for words in (ENGLISH, CHINESE):
        sentences = " ".join(tally(findings(study, words), words))
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


def test_scatter_is_the_deviation_behind_the_interval(study):
    difference = compare(study)["open"]
    expected = numpy.std(numpy.array([0.603, 0.61, 0.59]) - numpy.array([0.6, 0.604, 0.597]), ddof=1)
    assert scatter(difference) == pytest.approx(expected)
