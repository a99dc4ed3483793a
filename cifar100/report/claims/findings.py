"""What the numbers support, in sentences that the intervals choose: none says more than its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cifar100.report.claims.comparison import (
    VERDICTS,
    against_each_other,
    compare,
    compared,
    comparisons,
    mean_difference,
    verdict,
)
from cifar100.report.claims.statistics import Difference, seeds_needed
from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import points

MOST_PAIRS = 12


@dataclass(frozen=True)
class Finding:
    """What can be said of a row beside the baseline.

    `verdict` is one of comparison.VERDICTS; `mean` the difference of the means of test accuracy, whether or not an
    interval belongs to it; for an undecided one `seeds_needed` says how many seeds of every row would find a difference
    as large as the one seen, where that takes fewer than 100.
    """

    row: Row
    verdict: str
    difference: Difference | None
    mean: float
    seeds_needed: int | None


def findings(study: Study, words: Words, metric: str = "top1") -> tuple[Finding, ...]:
    """One finding for every row but the baseline, in the order of the rows. `metric` is a fraction (top1 or top5)."""
    differences = compare(study, metric)
    return tuple(_finding(study, row, differences[row.label], metric) for row in study.rows[1:])


def outlook(found: Sequence[Finding], words: Words) -> list[str]:
    """How many seeds would decide the open differences, in one sentence; nothing where none takes fewer than 100."""
    open_ones = [each for each in found if each.seeds_needed is not None]
    if not open_ones:
        return []
    counts = [words("findings.row_seeds", row=each.row.label, seeds=each.seeds_needed) for each in open_ones]
    return [words("findings.seeds", rows=words("findings.separator").join(counts), n=len(open_ones))]


def pair_sentences(study: Study, words: Words, metric: str = "top1") -> list[str]:
    """Which rows of a table are distinguishable from which others, all pairs held to 95% at once; nothing where there
    are no two rows beside the baseline to compare."""
    found, rows = against_each_other(study, metric), compared(study)
    if found is None or len(rows) < 3:
        return []
    pairs = [(one, other, each) for (one, other), each in found.differences.items() if each.distinguishable]
    if not pairs:
        return [words("findings.no_pair", n=len(found.differences))]
    told = []
    for one, other, each in pairs[:MOST_PAIRS]:
        above, below = (one, other) if each.mean > 0 else (other, one)
        fields = {"above": rows[above].label, "below": rows[below].label, "mean": points(abs(each.mean)).lstrip("+")}
        told.append(words("findings.pair", **fields))
    listing = words("findings.separator").join(told)
    if len(pairs) > MOST_PAIRS:
        listing = words("findings.and_more", names=listing, n=len(pairs) - MOST_PAIRS)
    return [words("findings.pairs", pairs=listing, n=len(found.differences), found=len(pairs))]


def tally(found: Sequence[Finding], words: Words) -> list[str]:
    """How many rows there are of each verdict and which, a sentence each; verdicts that do not occur are left out."""
    told = []
    for said in VERDICTS:
        labels = [each.row.label for each in found if each.verdict == said]
        if labels:
            told.append(words(f"findings.tally.{said}", n=len(labels), rows=listed(labels, words)))
    return told


def listed(names: Sequence[str], words: Words, most: int = 12) -> str:
    """Names in a row, the rest counted; semicolons part names with commas."""
    separator = words("findings.separator" if any("," in name for name in names) else "findings.comma")
    shown = separator.join(names[:most]) if len(names) > 1 else "".join(names)
    return words("findings.and_more", names=shown, n=len(names) - most) if len(names) > most else shown


def _finding(study: Study, row: Row, difference: Difference | None, metric: str) -> Finding:
    said = verdict(study, row, difference)
    needed = None
    if said == "undecided" and difference is not None:
        needed = seeds_needed(difference, len(compared(study)), comparisons(study))
    return Finding(row, said, difference, mean_difference(study, row, metric), needed)
