"""What the numbers support, in sentences that the intervals choose: none says more than its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from .comparison import compare
from .row import Row
from .statistics import CONFIDENCE, Difference, seeds_needed
from .study import Study
from .words import Words

POWER = 0.8
# In the order in which a summary counts them.
VERDICTS = ("better", "worse", "undecided", "uniform", "identical", "one_seed", "no_common_seed")


@dataclass(frozen=True)
class Finding:
    """What can be said of a row beside the baseline. `verdict` is one of VERDICTS:

    better, worse: the interval excludes zero.
    undecided: it does not; `seeds_needed` may say how many seeds a difference as large as the one seen would need.
    uniform: the differences of all seeds are equal, so that nothing is known of their scatter.
    identical: the same network by the same recipe as the baseline; a difference is chance whatever the interval says.
    one_seed, no_common_seed: there are no two pairs to compare.
    """

    row: Row
    verdict: str
    difference: Difference | None
    seeds_needed: int | None
    sentence: str


def findings(study: Study, words: Words, metric: str = "top1") -> tuple[Finding, ...]:
    """One finding for every row but the baseline, in the order of the rows. `metric` is a fraction (top1 or top5)."""
    differences = compare(study, metric)
    return tuple(_finding(study, row, differences[row.label], words, metric) for row in study.rows[1:])


def tally(found: Sequence[Finding], words: Words) -> list[str]:
    """How many rows there are of each verdict and which, a sentence each; verdicts that do not occur are left out."""
    sentences = []
    for verdict in VERDICTS:
        labels = [each.row.label for each in found if each.verdict == verdict]
        if labels:
            sentences.append(words(f"findings.tally.{verdict}", n=len(labels), rows=listed(labels, words)))
    return sentences


def listed(names: Sequence[str], words: Words, most: int = 12) -> str:
    """Names in a row, the rest counted."""
    shown = words("findings.separator").join(names[:most]) if len(names) > 1 else "".join(names)
    return words("findings.and_more", names=shown, n=len(names) - most) if len(names) > most else shown


def points(value: float, signed: bool = True) -> str:
    """A fraction in percentage points with two decimals, as the tables print them."""
    text = f"{100 * value:{'+' if signed else ''}.2f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _finding(study: Study, row: Row, difference: Difference | None, words: Words, metric: str) -> Finding:
    verdict = _verdict(study, row, difference)
    needed = _needed(difference) if verdict == "undecided" else None
    fields: dict[str, Any] = {"row": row.label, "baseline": study.baseline.label, "metric": words(f"findings.{metric}")}
    if difference is not None:
        fields |= {"n": difference.n, "mean": points(difference.mean)}
        fields |= {"low": points(difference.low), "high": points(difference.high)}
    if verdict == "one_seed":
        (seed,) = set(row.seeds) & set(study.baseline.seeds)
        fields["mean"] = points(row.by_seed(metric)[seed] - study.baseline.by_seed(metric)[seed])
    sentences = [words(f"findings.{verdict}", **fields)]
    if verdict == "undecided" and difference is not None:
        sentences.append(_outlook(difference, needed, words))
    if row.identical_to not in (None, study.baseline.label):
        sentences.append(words("findings.twin", row=row.label, other=row.identical_to))
    return Finding(row, verdict, difference, needed, words("findings.space").join(sentences))


def _verdict(study: Study, row: Row, difference: Difference | None) -> str:
    if row.identical_to == study.baseline.label:
        return "identical"
    if difference is None:
        common = set(row.seeds) & set(study.baseline.seeds)
        return "one_seed" if common else "no_common_seed"
    if math.isinf(difference.low):
        return "uniform"
    if not difference.distinguishable:
        return "undecided"
    return "better" if difference.mean > 0 else "worse"


def _needed(difference: Difference) -> int | None:
    """Seeds by which a true difference as large as the one seen would be found with a probability of POWER; None where
    there is no difference or a million would not do."""
    try:
        alpha = (1 - CONFIDENCE) / difference.comparisons
        return seeds_needed(scatter(difference), difference.mean, POWER, alpha)
    except ValueError:
        return None


def scatter(difference: Difference) -> float:
    """The standard deviation of the single differences that the interval was made of."""
    level = (1 - CONFIDENCE) / difference.comparisons
    quantile = float(stats.t.isf(level / 2, difference.n - 1))
    return (difference.high - difference.low) / 2 / quantile * math.sqrt(difference.n)


def _outlook(difference: Difference, needed: int | None, words: Words) -> str:
    fields = {"low": points(difference.low), "high": points(difference.high), "power": f"{POWER:.0%}"}
    if needed is None:
        return words("findings.open_interval", **fields)
    return words("findings.seeds", seeds=f"{needed:,}", mean=points(abs(difference.mean), signed=False), **fields)
