"""Means, paired differences and power, against hand-computed examples, scipy and published values."""

import math

import numpy
import pytest
from scipy import stats

from cifar100.report.claims.statistics import paired_difference, seeds_needed, summarize


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_summary_by_hand():
    """Mean 5; squares of the deviations sum to 32 over 7; t(0.975, 7) = 2.364624."""
    found = summarize([2, 4, 4, 4, 5, 5, 7, 9])
    assert (found.mean, found.n) == (5, 8)
    assert found.std == pytest.approx(math.sqrt(32 / 7))
    assert found.high - 5 == pytest.approx(5 - found.low) == pytest.approx(2.364624 * math.sqrt(32 / 7 / 8), rel=1e-6)


def test_summary_of_one_and_of_none():
    one, none = summarize([0.5]), summarize([math.nan])
    assert (one.mean, one.n) == (0.5, 1) and all(map(math.isnan, (one.std, one.low, one.high)))
    assert none.n == 0 and all(map(math.isnan, (none.mean, none.std, none.low, none.high)))


def test_summary_leaves_out_what_is_not_finite():
    assert summarize([1, math.nan, 3, math.inf]) == summarize([1, 3])


def test_difference_by_hand():
    """Differences 1, 2, 3: mean 2, deviation 1, t = 2 sqrt(3) with 2 degrees of freedom; t(0.975, 2) = 4.302653."""
    found = paired_difference(by_seed(11, 22, 33), by_seed(10, 20, 30))
    assert (found.mean, found.n, found.comparisons) == (2, 3, 1)
    assert (found.low, found.high) == pytest.approx(
        (2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), rel=1e-6
    )
    assert found.p == pytest.approx(0.0741799, rel=1e-5)
    assert not found.distinguishable


def test_difference_agrees_with_scipy():
    rng = numpy.random.default_rng(0)
    for n in (2, 3, 10):
        ours, theirs = rng.normal(0.61, 0.01, n), rng.normal(0.6, 0.01, n)
        found = paired_difference(by_seed(*ours), by_seed(*theirs))
        expected = stats.ttest_rel(ours, theirs)
        interval = expected.confidence_interval(0.95)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
        corrected = paired_difference(by_seed(*ours), by_seed(*theirs), 5)
        interval = expected.confidence_interval(0.99)
        assert (corrected.low, corrected.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
        assert corrected.p_adjusted == pytest.approx(min(1, 5 * expected.pvalue))


def test_interval_verdict_and_corrected_p_never_contradict():
    rng = numpy.random.default_rng(1)
    verdicts = []
    for _ in range(400):
        n, comparisons = int(rng.integers(2, 8)), int(rng.integers(1, 20))
        effect = rng.uniform(0, 4)
        found = paired_difference(by_seed(*rng.normal(effect, 1, n)), by_seed(*rng.normal(0, 1, n)), comparisons)
        assert found.distinguishable == (found.low > 0 or found.high < 0) == (found.p_adjusted < 0.05)
        assert found.low <= found.mean <= found.high
        verdicts.append(found.distinguishable)
    assert 40 < sum(verdicts) < 360, "both verdicts must occur for this test to mean anything"


def test_sign_and_order():
    row, baseline = by_seed(0.7, 0.71, 0.72), by_seed(0.6, 0.62, 0.61)
    up, down = paired_difference(row, baseline), paired_difference(baseline, row)
    assert up.mean == pytest.approx(-down.mean) and up.low == pytest.approx(-down.high)
    assert up.mean == pytest.approx(0.1)


def test_only_common_seeds_count():
    row = {5: 0.9, 1: 0.62, 0: 0.61, 2: math.nan}
    baseline = {0: 0.60, 1: 0.60, 2: 0.60, 7: 0.1}
    assert paired_difference(row, baseline) == paired_difference({0: 0.61, 1: 0.62}, {0: 0.60, 1: 0.60})


@pytest.mark.parametrize("row", [{}, {3: 0.6}, {0: 0.6}, {0: 0.6, 1: math.nan}])
def test_fewer_than_two_pairs_say_nothing(row):
    assert paired_difference(row, {0: 0.5, 1: 0.5}) is None


def test_differences_without_scatter_claim_nothing():
    """Equal accuracies on two seeds are a coincidence of rounded numbers, not certainty."""
    found = paired_difference({0: 0.6001, 1: 0.5901}, {0: 0.6, 1: 0.59})
    assert (found.low, found.high, found.distinguishable) == (-math.inf, math.inf, False)
    assert found.mean == pytest.approx(0.0001) and found.p == found.p_adjusted == 1
    same = paired_difference({0: 0.6, 1: 0.59}, {0: 0.6, 1: 0.59})
    assert (same.mean, same.low, same.high, same.distinguishable) == (0, 0, 0, False)


def test_comparisons_must_be_a_count():
    with pytest.raises(ValueError, match="comparisons=0"):
        paired_difference({0: 1, 1: 2}, {0: 1, 1: 1}, 0)


@pytest.mark.parametrize(
    ("effect", "power", "expected"), [(0.2, 0.8, 199), (0.5, 0.8, 34), (0.8, 0.8, 15), (0.5, 0.95, 54)]
)
def test_seeds_needed_as_published(effect, power, expected):
    """G*Power 3.1's totals for two-sided paired t tests at 0.05 (Faul et al., Behavior Research Methods 39, 2007)."""
    assert seeds_needed(1, effect, power) == expected == seeds_needed(0.01, -0.01 * effect, power)


@pytest.mark.parametrize("effect", [0.3, 1.0, 3.0, 30.0])
def test_seeds_needed_is_the_smallest_number_with_that_power(effect):
    def power(n: int) -> float:
        critical = stats.t.isf(0.025, n - 1)
        return stats.nct.sf(critical, n - 1, effect * n**0.5) + stats.nct.cdf(-critical, n - 1, effect * n**0.5)

    n = seeds_needed(1, effect)
    assert power(n) >= 0.8 and (n == 2 or power(n - 1) < 0.8)


def test_more_comparisons_need_more_seeds():
    assert seeds_needed(1, 1, alpha=0.05 / 7) > seeds_needed(1, 1) > seeds_needed(1, 5) >= seeds_needed(0, 5) == 2
    assert seeds_needed(1, 1000) == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1, 0), "difference=0"),
        ((1, math.nan), "difference=nan"),
        ((-1, 1), "std_of_differences=-1"),
        ((math.nan, 1), "std_of_differences=nan"),
        ((1, 1, 1), "power=1"),
        ((1, 1, 0.8, 0), "alpha=0"),
        ((1, 1e-9), "more than 1000000 seeds"),
    ],
)
def test_what_cannot_be_asked(arguments, named):
    with pytest.raises(ValueError, match=named):
        seeds_needed(*arguments)
