"""Means and simultaneous intervals, against scipy, hand-computed examples and a published one."""

import math

import numpy
import pytest
from scipy import stats

from cifar100.report.claims.simultaneous import against_first, all_pairs
from cifar100.report.claims.statistics import Difference, seeds_needed, summarize

EVEN = (0.5975, 0.6, 0.6025)  # deviation 0.25 points


def shifted(*means: float, by: tuple[float, ...] = EVEN) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(value + mean for value in by) for mean in means)


def drawn(seed: int, *sizes: int) -> tuple[tuple[float, ...], ...]:
    rng = numpy.random.default_rng(seed)
    return tuple(tuple(rng.normal(0.6 + 0.002 * place, 0.003, size).tolist()) for place, size in enumerate(sizes))


def test_mean_deviation_and_interval_of_a_row():
    """The textbook sample 2 4 4 4 5 5 7 9: mean 5, sum of squares 32; t(0.975, 7) = 2.364624."""
    found = summarize([2, 4, 4, 4, 5, 5, 7, 9])
    assert (found.mean, found.n) == (5, 8) and found.std == pytest.approx(math.sqrt(32 / 7), rel=1e-12)
    assert found.high - 5 == pytest.approx(2.364624 * found.std / math.sqrt(8), rel=1e-6)


def test_what_is_not_finite_does_not_count():
    assert summarize([1, math.nan, 3, math.inf]) == summarize([1, 3])
    one, none = summarize([0.5]), summarize([math.nan])
    assert (one.mean, one.n, none.n) == (0.5, 1, 0) and math.isnan(one.std) and math.isnan(none.mean)


def test_dunnetts_own_example():
    """Breaking strength of a fabric after three treatments and without (Dunnett 1955, section 3), in hundredths.

    The intervals are those of R's multcomp::glht, as quoted in scipy's tests; the paper's allowance is 11 by its
    rounded table.
    """
    samples = ((55, 47, 48), (55, 64, 64), (55, 49, 52), (50, 44, 41))
    found = against_first(tuple(tuple(value / 100 for value in sample) for sample in samples))
    assert (found.df, not found.apart) == (8, True) and 100 * found.std == pytest.approx(math.sqrt(19), rel=1e-9)
    ends = [(100 * each.low, 100 * each.high) for each in found.differences.values()]
    expected = [(0.7529, 21.2471), (-8.2471, 12.2471), (-15.2471, 5.2471)]
    assert numpy.allclose(ends, expected, atol=0.03)
    assert numpy.allclose([each.p for each in found.differences.values()], [0.0364, 0.8965, 0.4093], atol=1e-3)
    assert [each.distinguishable for each in found.differences.values()] == [True, False, False]


def test_against_a_baseline_as_scipy_says():
    five = (0.597, 0.599, 0.6, 0.601, 0.603)
    samples = (*shifted(0, 0.001), *shifted(0.004, by=five), *shifted(0.012))
    found, expected = against_first(samples), stats.dunnett(*samples[1:], control=samples[0], rng=1)
    interval = expected.confidence_interval()
    assert not found.apart
    for place, each in enumerate(found.differences.values()):
        assert each.low == pytest.approx(interval.low[place], abs=2e-5)
        assert each.high == pytest.approx(interval.high[place], abs=2e-5)
        assert each.p == pytest.approx(expected.pvalue[place], abs=2e-3)


def test_all_pairs_as_scipy_says():
    samples = shifted(0, 0.004, 0.012, 0.0125)
    found, expected = all_pairs(samples), stats.tukey_hsd(*samples)
    interval = expected.confidence_interval()
    assert not found.apart and found.df == 8
    for (one, other), each in found.differences.items():
        assert each.low == pytest.approx(interval.low[one, other], abs=1e-7)
        assert each.p == pytest.approx(expected.pvalue[one, other], abs=1e-7)
    claimed = {pair for pair, each in found.differences.items() if each.distinguishable}
    assert claimed == {(0, 2), (0, 3), (1, 2), (1, 3)}


@pytest.mark.parametrize("judge", [against_first, all_pairs])
def test_two_rows_of_unlike_scatter_as_welch_says(judge):
    samples = ((0.5, 0.5001, 0.5002), (0.53, 0.51, 0.55))
    (each,) = judge(samples).differences.values()
    sign = 1 if judge is against_first else -1
    expected = stats.ttest_ind(samples[1], samples[0], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert each.own_scatter and each.p == pytest.approx(expected.pvalue, rel=1e-9)
    ends = sorted((sign * each.low, sign * each.high))
    assert ends == pytest.approx([interval.low, interval.high], rel=1e-9)


def test_a_row_that_scatters_more_is_judged_by_itself_and_the_others_are_not():
    wide = tuple(0.6 + 8 * (value - 0.6) for value in EVEN)
    found = against_first((*shifted(0, 0.001, 0.002, 0.003), wide))
    assert found.apart == {4} and [each.own_scatter for each in found.differences.values()] == [False] * 3 + [True]
    wider, narrow = found.differences[4, 0], found.differences[1, 0]
    assert wider.high - wider.low > 3 * (narrow.high - narrow.low)


def test_a_baseline_that_scatters_more_leaves_nothing_to_pool():
    wide = tuple(0.6 + 8 * (value - 0.6) for value in EVEN)
    found = against_first((wide, *shifted(0, 0.001, 0.002)))
    assert 0 in found.apart and all(each.own_scatter for each in found.differences.values())


def test_two_runs_give_no_interval_that_no_accuracy_can_have():
    found = against_first((*((0.6, 0.6 + 0.005 * row) for row in range(1, 9)),))
    each = found.differences[7, 0]
    assert not each.has_interval and not each.distinguishable and each.mean == pytest.approx(0.0175)


def test_intervals_end_where_accuracies_end():
    high = against_first(((0.97, 0.99, 0.98), (0.98, 0.99, 0.995))).differences[1, 0]
    assert high.has_interval and 0.98 + high.high <= 1 + 1e-12


def test_runs_without_scatter_claim_nothing():
    for samples in (((0.6, 0.6, 0.6), (0.7, 0.7, 0.7)), ((0.6, 0.6, 0.6),) * 3):
        assert not any(
            each.has_interval or each.distinguishable for each in against_first(samples).differences.values()
        )
        assert not any(each.distinguishable for each in all_pairs(samples).differences.values())


def test_interval_verdict_and_p_never_contradict():
    verdicts = []
    for seed in range(40):
        for each in against_first(drawn(seed, 3, 3, 3)).differences.values():
            assert each.low <= each.mean <= each.high and 0 <= each.p <= 1
            assert each.distinguishable == (each.low > 0 or each.high < 0)
            assert each.p <= 0.05 if each.distinguishable else each.p >= 0.05
            verdicts.append(each.distinguishable)
    assert any(verdicts) and not all(verdicts)


def test_a_report_is_the_same_each_time():
    samples = drawn(3, 3, 3, 3, 3)
    first = against_first(samples)
    against_first.cache_clear()
    assert against_first(samples) == first


def difference(mean: float, std: float = 0.0025) -> Difference:
    return Difference(mean, -1, 1, 3, 0.5, False, std)


def test_seeds_needed_find_a_difference_of_that_size():
    """Counted: of many tables with that many seeds, the share in which the row is found."""
    n = seeds_needed(difference(0.004), rows=4, comparisons=3)
    rng = numpy.random.default_rng(0)
    values = rng.normal(0, 0.0025, (4000, 4, n))
    values[:, 1] += 0.004
    error = numpy.sqrt(values.var(axis=2, ddof=1).mean(axis=1) * 2 / n)
    critical = stats.t.isf((1 - 0.95 ** (1 / 3)) / 2, 4 * (n - 1))
    share = (numpy.abs(values[:, 1].mean(1) - values[:, 0].mean(1)) / error > critical).mean()
    assert 0.78 < share < 0.93


def test_seeds_needed_only_where_they_are_fewer_than_a_hundred():
    few, many = (seeds_needed(difference(mean), 8, 7) for mean in (0.01, 0.002))
    assert few == 3 and 20 < many < 100
    assert seeds_needed(difference(0.0005), 8, 7) is None is seeds_needed(difference(0.0), 8, 7)
