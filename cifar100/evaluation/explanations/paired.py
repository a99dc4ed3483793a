"""Two classifiers on the same images: the difference of their accuracies and what chance allows for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from cifar100.base.errors import UserError


@dataclass(frozen=True)
class PairedDifference:
    """Of `n` images, `first_only` were right in the first run alone and `second_only` in the second alone.

    `difference` is the first's accuracy less the second's, `low` to `high` its interval, simultaneous over all
    comparisons; `p` is McNemar's, `p_adjusted` Bonferroni's. `distinguishable` needs both: an interval without zero and
    an adjusted p below `level`.
    """

    n: int
    first_only: int
    second_only: int
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    distinguishable: bool


def paired_difference(
    n: int, first_only: int, second_only: int, comparisons: int = 1, level: float = 0.05
) -> PairedDifference:
    """Compares two runs by the images on which only one of them was right.

    The test is McNemar's, exact (Psychometrika 12, 1947): those images would be right in either run alike. The interval
    is Tango's score interval (Statistics in Medicine 17, 1998), which McNemar's statistic belongs to. Both are at
    `level / comparisons`, so that among all comparisons a false difference is called with a probability of at most
    `level`.

    Raises:
        ValueError: counts that do not go together, or no comparison.
    """
    from scipy.stats import binomtest, norm  # here, since training imports this file and would wait for it

    if not (0 <= first_only and 0 <= second_only and 1 <= n and first_only + second_only <= n):
        raise UserError(f"first_only={first_only} and second_only={second_only} are not counts among n={n} images")
    if comparisons < 1 or not 0 < level < 1:
        raise UserError(f"comparisons={comparisons} must be at least 1 and level={level} between 0 and 1")
    differing = first_only + second_only
    p = float(binomtest(first_only, differing).pvalue) if differing else 1.0
    low, high = score_interval(n, first_only, second_only, float(norm.isf(level / comparisons / 2)))
    p_adjusted = min(1.0, p * comparisons)
    sure = p_adjusted < level and (low > 0 or high < 0)
    return PairedDifference(n, first_only, second_only, (first_only - second_only) / n, low, high, p, p_adjusted, sure)


def score_interval(n: int, first_only: int, second_only: int, z: float) -> tuple[float, float]:
    """All differences d that McNemar's score statistic for "the difference is d" leaves within `z` deviations of 0."""
    from scipy.optimize import brentq

    estimate = (first_only - second_only) / n

    def beyond(d: float, sign: int) -> float:
        """Positive where `d` is further from the estimate, on the side of `sign`, than the interval reaches."""
        excess = sign * (n * d - first_only + second_only)
        return excess - z * _deviation(d, n, first_only, second_only)

    def bound(sign: int) -> float:
        if beyond(sign, sign) <= 0:  # every image was right in one run and wrong in the other
            return float(sign)
        # Not from the estimate itself: where no image tells the runs apart, both terms are 0 there.
        return float(brentq(beyond, estimate + sign * 1e-9, sign, args=(sign,), xtol=1e-12))

    return bound(-1), bound(1)


def _deviation(d: float, n: int, first_only: int, second_only: int) -> float:
    """The standard deviation of first_only - second_only where the difference is `d`, under the likeliest share of
    images that the second run alone gets right, which is the root of a quadratic (Tango)."""
    a, b, c = 2 * n, -first_only - second_only + (2 * n - first_only + second_only) * d, -second_only * d * (1 - d)
    share = (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    return sqrt(max(0.0, n * (2 * share + d * (1 - d))))
