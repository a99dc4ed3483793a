"""Means over seeds, and what is found where rows are compared; `claims.simultaneous` finds it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy
from scipy import stats

CONFIDENCE = 0.95
MOST_SEEDS = 99


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
    """How far the mean of a row of `n` runs lies above that of another one.

    `low` to `high` holds the true difference, together with all others of its table, with 95% confidence; it ends
    where accuracies end, at 0 and 1. Both are infinite where there is no interval: the runs do not scatter, or are too
    few for one that an accuracy could have. `p` is corrected for all comparisons of the table. `distinguishable` says
    that the interval excludes zero; `own_scatter` that it is by Welch's degrees of freedom, not by the pooled variance.
    `std` is the deviation of single runs that was reckoned with, the root mean square of both rows'.
    """

    mean: float
    low: float
    high: float
    n: int
    p: float
    distinguishable: bool
    std: float
    own_scatter: bool = False

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.low)


@dataclass(frozen=True)
class Comparison:
    """The differences of a table by the places of both rows, (0, 1) for the first above the second.

    `std` and `df` are the deviation pooled over all rows and its degrees of freedom; `apart` the places of the rows
    that are judged by their own deviation; `critical` the number of standard errors that the pooled intervals reach to,
    nan if there is none.
    """

    differences: Mapping[tuple[int, int], Difference]
    std: float
    df: int
    apart: frozenset[int]
    critical: float = math.nan


def summarize(values: Iterable[float]) -> Summary:
    """Values that are not finite are left out, and do not count in `n`."""
    kept = [float(value) for value in values if math.isfinite(value)]
    n = len(kept)
    mean = math.fsum(kept) / n if n else math.nan
    if n < 2:
        return Summary(mean, math.nan, n, math.nan, math.nan)
    std = float(numpy.std(kept, ddof=1))
    half = float(stats.t.isf((1 - CONFIDENCE) / 2, n - 1)) * std / math.sqrt(n)
    return Summary(mean, std, n, mean - half, mean + half)


def seeds_needed(difference: Difference, rows: int, comparisons: int, power: float = 0.8) -> int | None:
    """The fewest seeds of each row by which a true difference as large as the one seen would be found with probability
    `power`; None where that takes more than MOST_SEEDS.

    By the noncentral t distribution (Cohen, Statistical Power Analysis for the Behavioral Sciences, chapter 2) with
    Sidak's correction for the comparisons, which is a little wider than Dunnett's. The variance is pooled over `rows`,
    or over two where a row has its own.
    """
    if difference.mean == 0 or not difference.std > 0:
        return None
    level = level_of_each(comparisons)
    for n in range(3, MOST_SEEDS + 1):
        df = (2 if difference.own_scatter else max(2, rows)) * (n - 1)
        critical = float(stats.t.isf(level / 2, df))
        shift = abs(difference.mean) / (difference.std * math.sqrt(2 / n))
        # beyond 40 scipy's noncentral t loses its digits, and nothing is left to find
        if shift > critical + 40 or float(stats.nct.sf(critical, df, shift)) >= power:
            return n
    return None


def level_of_each(comparisons: int) -> float:
    """The level at which each of so many comparisons is made, that all hold with CONFIDENCE (Sidak 1967)."""
    return -math.expm1(math.log(CONFIDENCE) / comparisons)
