"""What the numbers support, in sentences that the intervals choose: none says more than its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from cifar100.report.claims.comparison import VERDICTS, common_seeds, compare, verdict
from cifar100.report.claims.statistics import CONFIDENCE, Difference, seeds_needed
from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import count, points

POWER = 0.8


@dataclass(frozen=True)
class Finding:
    """What can be said of a row beside the baseline.

    `verdict` is one of comparison.VERDICTS; for an undecided one `seeds_needed` says by how many seeds a difference as
    large as the one seen would be found, where that can be said.
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
    for said in VERDICTS:
        labels = [each.row.label for each in found if each.verdict == said]
        if labels:
            sentences.append(words(f"findings.tally.{said}", n=len(labels), rows=listed(labels, words)))
    return sentences


def listed(names: Sequence[str], words: Words, most: int = 12) -> str:
    """Names in a row, the rest counted; semicolons part names with commas."""
    separator = words("findings.separator" if any("," in name for name in names) else "findings.comma")
    shown = separator.join(names[:most]) if len(names) > 1 else "".join(names)
    return words("findings.and_more", names=shown, n=len(names) - most) if len(names) > most else shown


def _finding(study: Study, row: Row, difference: Difference | None, words: Words, metric: str) -> Finding:
    said = verdict(study, row, difference)
    needed = _needed(difference) if said == "undecided" else None
    fields: dict[str, Any] = {"row": row.label, "baseline": study.baseline.label, "metric": words(f"findings.{metric}")}
    if difference is not None:
        fields |= {"n": difference.n, "mean": points(difference.mean)}
        fields |= {"low": points(difference.low), "high": points(difference.high)}
    if said == "one_seed":
        seed = common_seeds(study, row)[0]
        fields["mean"] = points(row.by_seed(metric)[seed] - study.baseline.by_seed(metric)[seed])
    sentences = [words(f"findings.{said}", **fields)]
    if said == "undecided" and difference is not None:
        sentences.append(_outlook(difference, needed, words))
    if row.identical_to not in (None, study.baseline.label):
        sentences.append(words("findings.twin", row=row.label, other=row.identical_to))
    return Finding(row, said, difference, needed, words("findings.space").join(sentences))


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
    size = points(abs(difference.mean)).lstrip("+")
    return words("findings.seeds", seeds=count(needed), mean=size, **fields)
