"""How far the rows of a table lie apart, with intervals that do not claim more than the runs support.

All intervals of a table hold at once with 95% confidence. Rows are independent samples: what two runs of one seed have
in common only makes the intervals wider than they need to be.

- Against a baseline: Dunnett's test (Dunnett 1955, J. Am. Stat. Assoc. 50, 1096), the variance pooled over all rows.
- All pairs: Tukey's HSD in Tukey and Kramer's form, with the same variance.
- A row that scatters more than the others is not judged by their variance. Its own stands for it, the pooled one of the
  others for the other row, with Welch's degrees of freedom and Sidak's correction for all comparisons of the table
  (for two such rows that is Tamhane's T2). Whether it does is a one-sided F test of its variance against that of the
  others, at SCATTER_LEVELS, divided by the number of rows tested. No test finds unequal variances among so few runs
  reliably, so these levels are lenient; they were chosen by null studies, as in tests/report/test_report_null_study.py:
  of 40,000 drawn tables of 8 rows and 3 seeds, 7.0% claim something where the baseline has three times the deviation,
  6.9% where another row has it (Dunnett's test alone: 20%) and 4.0% where all are equal; then a true point is found at
  a deviation of 0.25 in 80.2%.
  The baseline has a level of its own, since all comparisons share it.
- Two runs leave nothing to test, so a row of two is always judged by its own variance.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy
from scipy import special, stats

from cifar100.report.claims.statistics import CONFIDENCE, Comparison, Difference, level_of_each

SCATTER_LEVELS = {"baseline": 0.175, "rows": 0.12, "pairs": 0.7}
Samples = tuple[tuple[float, ...], ...]


@lru_cache(maxsize=256)
def against_first(samples: Samples) -> Comparison:
    """Every row but the first against the first.

    Args:
        samples: the fractions of each row's runs, at least two of each row.
    """
    rows = range(1, len(samples))
    levels = [SCATTER_LEVELS["baseline"], *[SCATTER_LEVELS["rows"] / max(1, len(rows))] * len(rows)]
    pool = _Pool(samples, levels)
    pooled = [row for row in rows if not pool.apart & {0, row}] if pool.std > 0 else []
    critical, p = _dunnett(samples) if pooled else (math.nan, ())
    found = {}
    for row in rows:
        if row in pooled:
            found[row, 0] = pool.by_all(row, 0, critical, p[row - 1])
        else:
            found[row, 0] = pool.by_own(row, 0, len(rows))
    return Comparison(found, pool.std, pool.df, pool.apart, critical)


@lru_cache(maxsize=256)
def all_pairs(samples: Samples) -> Comparison:
    """Every row against every later one. Arguments as of `against_first`."""
    count = len(samples)
    pool = _Pool(samples, [SCATTER_LEVELS["pairs"] / count] * count)
    pairs = [(one, other) for one in range(count) for other in range(one + 1, count)]
    pooled = {pair for pair in pairs if not pool.apart & set(pair)} if pool.std > 0 else set()
    critical, found = math.nan, {}
    if pooled:
        critical = _tukey(count, pool.df)
    for one, other in pairs:
        if (one, other) in pooled:
            statistic = pool.statistic(one, other)
            p = float(stats.studentized_range.sf(math.sqrt(2) * statistic, count, pool.df))
            found[one, other] = pool.by_all(one, other, critical, p)
        else:
            found[one, other] = pool.by_own(one, other, len(pairs))
    return Comparison(found, pool.std, pool.df, pool.apart, critical)


class _Pool:
    """Means and variances of the rows, and which rows scatter plainly more than the others."""

    def __init__(self, samples: Samples, levels: Sequence[float]) -> None:
        self.n = [len(sample) for sample in samples]
        self.means = [math.fsum(sample) / len(sample) for sample in samples]
        rounding = 1e-12 * max(1e-300, *(abs(mean) for mean in self.means))
        found = [float(numpy.var(sample, ddof=1)) for sample in samples]
        self.variances = [value if value > rounding**2 else 0.0 for value in found]
        self.df = sum(self.n) - len(self.n)
        self.std = math.sqrt(self._pooled(range(len(samples))))
        self.apart = frozenset(row for row, level in enumerate(levels) if self._is_apart(row, level))

    def statistic(self, one: int, other: int) -> float:
        return abs(self.means[one] - self.means[other]) / self._error(one, other)

    def by_all(self, one: int, other: int, critical: float, p: float) -> Difference:
        return self._difference(one, other, critical * self._error(one, other), p, self.std, False)

    def by_own(self, one: int, other: int, comparisons: int) -> Difference:
        """By the row's own variance where it is apart, else by that of all rows but the other one."""
        sides = [self._side(row, beside) for row, beside in ((one, other), (other, one))]
        shares = [variance / self.n[row] for (variance, _), row in zip(sides, (one, other), strict=True)]
        error, std = math.sqrt(sum(shares)), math.sqrt(sum(variance for variance, _ in sides) / 2)
        if error == 0:
            return self._difference(one, other, math.inf, 1.0, 0.0, True)
        df = sum(shares) ** 2 / sum(share**2 / each for share, (_, each) in zip(shares, sides, strict=True))
        half = -float(special.stdtrit(df, level_of_each(comparisons) / 2)) * error
        alone = 2 * float(special.stdtr(df, -abs(self.means[one] - self.means[other]) / error))
        return self._difference(
            one, other, half, -math.expm1(comparisons * math.log1p(-min(alone, 1 - 1e-16))), std, True
        )

    def _side(self, row: int, beside: int) -> tuple[float, int]:
        """Variance and degrees of freedom that stand for a row."""
        others = [each for each in range(len(self.n)) if each != beside]
        if row in self.apart:
            return self.variances[row], self.n[row] - 1
        return self._pooled(others), sum(self.n[each] - 1 for each in others)

    def _difference(self, one: int, other: int, half: float, p: float, std: float, own: bool) -> Difference:
        mean, base = self.means[one] - self.means[other], self.means[other]
        low, high = mean - half, mean + half
        few = min(self.n[one], self.n[other]) < 3
        if math.isinf(half) or (few and (base + low < 0 or base + high > 1)):
            return Difference(mean, -math.inf, math.inf, self.n[one], 1.0, False, std, own)
        sure = low > 0 or high < 0
        low, high = max(low, -max(base, 0.0)), min(high, max(1 - base, 0.0))
        # Dunnett's p comes from a random lattice; at the edge it must not contradict the interval.
        p = min(p, 1 - CONFIDENCE) if sure else max(p, 1 - CONFIDENCE)
        return Difference(mean, min(low, mean), max(high, mean), self.n[one], p, sure, std, own)

    def _is_apart(self, row: int, level: float) -> bool:
        others = [each for each in range(len(self.n)) if each != row]
        if self.n[row] < 3:
            return True
        rest = self._pooled(others)
        if rest == 0 or self.variances[row] == 0:
            return self.variances[row] > rest
        df = sum(self.n[each] - 1 for each in others)
        return float(special.fdtrc(self.n[row] - 1, df, self.variances[row] / rest)) < level

    def _pooled(self, rows: Iterable[int]) -> float:
        rows = list(rows)
        weights = [self.n[row] - 1 for row in rows]
        return math.fsum(self.variances[row] * weight for row, weight in zip(rows, weights, strict=True)) / sum(weights)

    def _error(self, one: int, other: int) -> float:
        return self.std * math.sqrt(1 / self.n[one] + 1 / self.n[other])


@lru_cache
def _tukey(count: int, df: int) -> float:
    """How many standard errors Tukey's intervals reach to."""
    return float(stats.studentized_range.ppf(CONFIDENCE, count, df)) / math.sqrt(2)


def _dunnett(samples: Samples) -> tuple[float, tuple[float, ...]]:
    """How many standard errors the simultaneous intervals reach to, and p of each row. scipy integrates by a random
    lattice: its seed is fixed, so that a report is the same each time."""
    first, *others = samples
    result = stats.dunnett(*others, control=first, rng=numpy.random.default_rng(0))
    interval = result.confidence_interval(CONFIDENCE)
    pool = _Pool(samples, [0.0] * len(samples))
    error = pool._error(1, 0)
    return float(interval.high[0] - interval.low[0]) / 2 / error, tuple(map(float, result.pvalue))
