"""McNemar's test and Tango's interval against published numbers, other formulas and simulation."""

from math import comb, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from cifar100.evaluation.explanations.paired import paired_difference, score_interval


def test_published_example():
    """Airway hyper-responsiveness before and after transplantation, n=21, 1 against 7: the interval that Fagerland,
    Lydersen and Laake print for Tango's method (Statistics in Medicine 33, 2014), and McNemar's exact p."""
    found = paired_difference(21, 1, 7)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.517, -0.026)
    assert found.p == pytest.approx(2 * (comb(8, 0) + comb(8, 1)) / 2**8)
    assert found.difference == -6 / 21


@pytest.mark.parametrize("counts", [(100, 13, 2), (100, 3, 9), (50, 0, 4), (500, 20, 21)])
def test_bounds_are_where_the_score_statistic_is_z(counts):
    """The statistic with the likeliest share found by a search instead of the quadratic's root."""
    n, first, second = counts
    z = 1.96
    for d in score_interval(n, first, second, z):

        def unlikelihood(share, d=d):
            terms = [(first, share + d), (second, share), (n - first - second, 1 - 2 * share - d)]
            return -sum(count * np.log(max(p, 1e-300)) for count, p in terms if count)

        bounds = (max(0.0, -d), (1 - d) / 2)
        share = minimize_scalar(unlikelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        statistic = (first - second - n * d) / sqrt(n * (2 * share + d * (1 - d)))
        assert abs(statistic) == pytest.approx(z, abs=2e-4)


@pytest.mark.parametrize("comparisons", [1, 100])
def test_interval_leaves_zero_out_where_mcnemars_statistic_exceeds_z(comparisons):
    z = norm.isf(0.025 / comparisons)
    for first in range(0, 60, 3):
        for second in range(0, 40, 3):
            found, mirrored = (
                paired_difference(100, *pair, comparisons) for pair in ((first, second), (second, first))
            )
            beyond = first + second > 0 and (first - second) ** 2 / (first + second) > z * z
            assert (found.low > 0 or found.high < 0) == beyond
            assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-9)
            assert -1 <= found.low <= found.difference <= found.high <= 1
            assert not found.distinguishable or beyond


def test_runs_that_no_image_tells_apart_may_still_differ():
    found = paired_difference(100, 0, 0)
    z = norm.isf(0.025)
    assert (found.low, found.high) == pytest.approx((-z * z / (100 + z * z), z * z / (100 + z * z)))
    assert (found.p, found.distinguishable) == (1.0, False)


def test_extremes():
    assert paired_difference(100, 100, 0).high == 1.0 and paired_difference(100, 100, 0).distinguishable
    assert paired_difference(100, 0, 100).low == -1.0
    assert not paired_difference(1, 1, 0).distinguishable


def test_more_comparisons_widen_and_weaken():
    one, many = paired_difference(100, 14, 3), paired_difference(100, 14, 3, comparisons=100)
    assert many.low < one.low < one.high < many.high
    assert many.p == one.p and many.p_adjusted == min(1.0, 100 * one.p)
    assert one.distinguishable and not many.distinguishable


def test_between_equal_runs_a_difference_is_called_in_at_most_one_study_of_twenty():
    """2,000 comparisons of two runs that are equally good at each of 100 classes."""
    generator = np.random.default_rng(0)
    calls, cache = 0, {}
    for _ in range(2000):
        disagreement = generator.uniform(0.05, 0.6, size=100)
        differing = generator.binomial(100, disagreement)
        first = generator.binomial(differing, 0.5)
        pairs = set(zip(first.tolist(), (differing - first).tolist(), strict=True))
        # Only lopsided classes can be called; the others need no computing.
        pairs = {pair for pair in pairs if abs(pair[0] - pair[1]) ** 2 > 9 * sum(pair)}
        for pair in pairs - cache.keys():
            cache[pair] = paired_difference(100, *pair, comparisons=100).distinguishable
        calls += any(cache[pair] for pair in pairs)
    assert 0 < calls / 2000 <= 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((10, 6, 5), "n=10"), ((10, -1, 0), "first_only=-1"), ((0, 0, 0), "n=0"), ((10, 1, 1, 0), "comparisons=0")],
)
def test_impossible_counts_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(*arguments)
