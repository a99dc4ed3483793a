"""Means over seeds and differences paired by seed, with intervals that do not claim more than the runs support.

Several rows are compared with one baseline, so an interval is widened by Bonferroni's correction: all `comparisons`
intervals of a table hold together with 95% confidence, and a row is called distinguishable exactly where its interval
excludes zero. `p_adjusted` is corrected alike and is below 0.05 in just these cases. Holm's procedure would find a
little more, but has no intervals that agree with its verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy
from scipy import stats

from cifar100.base.errors import UserError

CONFIDENCE = 0.95
MOST_SEEDS = 10**6


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation (n - 1 in the denominator; nan for one value), number of values, and the 95% t interval
    of the mean (nan for one value). All nan where there is no value."""

    mean: float
    std: float
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The mean of `n` differences of a row to the baseline, each between two runs of one seed.

    `low` to `high` holds the true mean with 95% confidence for all `comparisons` of the table at once; `p` is that of a
    two-sided paired t test, `p_adjusted` the same corrected for the comparisons. `distinguishable` says that the
    interval excludes zero.
    """

    mean: float
    low: float
    high: float
    n: int
    p: float
    p_adjusted: float
    distinguishable: bool
    comparisons: int


def summarize(values: Iterable[float]) -> Summary:
    """Values that are not finite are left out, and do not count in `n`."""
    kept = [float(value) for value in values if math.isfinite(value)]
    n = len(kept)
    mean = math.fsum(kept) / n if n else math.nan
    if n < 2:
        return Summary(mean, math.nan, n, math.nan, math.nan)
    std = float(numpy.std(kept, ddof=1))
    half = _quantile(CONFIDENCE, n - 1) * std / math.sqrt(n)
    return Summary(mean, std, n, mean - half, mean + half)


def paired_difference(
    row: Mapping[int, float], baseline: Mapping[int, float], comparisons: int = 1
) -> Difference | None:
    """How far `row` lies above `baseline`, over the seeds that both have; None where these are fewer than two.

    Args:
        row: value by seed; one that is not finite is left out with its seed.
        baseline: likewise.
        comparisons: how many rows of the table are compared with the baseline.

    Differences that are all equal and not zero have no deviation to judge by: accuracies are counts of images, and two
    seeds can agree by chance. Their interval is unbounded and nothing is claimed. Differences that are all zero, as of
    one run with itself, have the interval from zero to zero.
    """
    if comparisons < 1:
        raise UserError(f"comparisons={comparisons} must be at least 1")
    pairs = [(row[seed], baseline[seed]) for seed in sorted(row.keys() & baseline.keys())]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    n = len(pairs)
    if n < 2:
        return None
    differences = numpy.array([ours - theirs for ours, theirs in pairs])
    mean, std = float(differences.mean()), float(differences.std(ddof=1))
    rounding = 1e-12 * max(1e-300, float(numpy.abs(pairs).max()))
    if std <= rounding:
        equal = abs(mean) <= rounding
        low, high = (0.0, 0.0) if equal else (-math.inf, math.inf)
        return Difference(0.0 if equal else mean, low, high, n, 1.0, 1.0, False, comparisons)
    error = std / math.sqrt(n)
    half = _quantile(1 - (1 - CONFIDENCE) / comparisons, n - 1) * error
    p = float(2 * stats.t.sf(abs(mean) / error, n - 1))
    low, high = mean - half, mean + half
    return Difference(mean, low, high, n, p, min(1.0, comparisons * p), low > 0 or high < 0, comparisons)


def seeds_needed(std_of_differences: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """The fewest seeds by which a two-sided paired t test at level `alpha` finds a true mean `difference` with
    probability `power`, where single differences scatter by `std_of_differences`.

    For one of m comparisons give alpha / m. Both numbers are in one unit. Power is that of the noncentral t
    distribution (Cohen, Statistical Power Analysis for the Behavioral Sciences, chapter 2).

    Raises:
        ValueError: a deviation below 0, no difference, a power or level outside (0, 1), or more than a million seeds.
    """
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise UserError(f"{name}={value} must lie between 0 and 1")
    if not (math.isfinite(std_of_differences) and std_of_differences >= 0):
        raise UserError(f"std_of_differences={std_of_differences} must be a number of at least 0")
    if difference == 0 or not math.isfinite(difference):
        raise UserError(f"difference={difference} must be a number other than 0")
    if std_of_differences == 0:
        return 2
    effect = abs(difference) / std_of_differences
    enough = 2
    while _power(effect, enough, alpha) < power:
        enough *= 2
        if enough > MOST_SEEDS:
            raise UserError(f"difference={difference} needs more than {MOST_SEEDS} seeds; ask for a larger one")
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        enough, too_few = (middle, too_few) if _power(effect, middle, alpha) >= power else (enough, middle)
    return enough


def _power(effect: float, n: int, alpha: float) -> float:
    critical, shift = _quantile(1 - alpha, n - 1), effect * math.sqrt(n)
    if shift > critical + 40:  # where scipy's noncentral t loses its digits, and nothing is left to find
        return 1.0
    # The lower tail by symmetry: scipy's nct.cdf is nan far out, and a nan would end the search with too few seeds.
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.sf(critical, n - 1, -shift))


def _quantile(confidence: float, df: int) -> float:
    """Student's t that a two-sided interval of this confidence reaches to."""
    return float(stats.t.isf((1 - confidence) / 2, df))
