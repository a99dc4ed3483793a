"""The rows of a study against its baseline and against each other, and the sentences that their intervals support: none
says more than its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cifar100.report.claims.simultaneous import against_first, all_pairs
from cifar100.report.claims.statistics import Comparison, Difference, seeds_needed
from cifar100.report.document.words import Words
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.number_text import points

MOST_PAIRS = 12

VERDICTS = ("better", "worse", "undecided", "no_interval", "identical", "one_seed")


def compared(study: Study) -> list[Row]:
    """The rows that are judged: the baseline first, then those of at least two runs. A row whose network and recipe are
    an earlier row's is not among them: equal seeds give it that row's results, which would count twice."""
    return [row for row in study.rows if row is study.baseline or (row.n > 1 and row.identical_to is None)]


def comparisons(study: Study) -> int:
    """How many rows are judged against the baseline; 0 where that has one run."""
    return len(compared(study)) - 1 if study.baseline.n > 1 else 0


def against_baseline(study: Study) -> Comparison | None:
    """The judged rows against the baseline by test top-1, by their places in `compared`, whose first is the baseline;
    None where there is nothing to judge."""
    return against_first(_samples(compared(study))) if comparisons(study) else None


def against_each_other(study: Study) -> Comparison | None:
    """All pairs of the judged rows, by their places in `compared`; None where there are no two."""
    rows = [row for row in compared(study) if row.n > 1]
    return all_pairs(_samples(rows)) if len(rows) > 1 and rows[0] is study.baseline else None


def compare(study: Study) -> dict[str, Difference | None]:
    """By the label of every row but the baseline: its difference to the baseline, None where it is not judged.

    The intervals hold at once; `Difference.has_interval` says whether there is one.
    """
    found, rows = against_baseline(study), compared(study)
    judged = {rows[place].label: each for (place, _), each in found.differences.items()} if found else {}
    return {row.label: judged.get(row.label) for row in study.rows[1:]}


def verdict(study: Study, row: Row, difference: Difference | None) -> str:
    """The verdict on a row by its `difference`, of `compare`, where more is better; one of VERDICTS.

    better, worse: the interval excludes zero.
    undecided: it does not.
    no_interval: the runs are too few for one, or do not scatter.
    identical: the row trains an earlier row's network by its recipe, the baseline's or another one's; a difference
        between the two is chance.
    one_seed: the row or the baseline has one run.
    """
    if row.identical_to is not None:
        return "identical"
    if difference is None:
        return "one_seed"
    if not difference.has_interval:
        return "no_interval"
    if not difference.distinguishable:
        return "undecided"
    return "better" if difference.mean > 0 else "worse"


def common_seeds(study: Study, row: Row) -> list[int]:
    return sorted(set(row.seeds) & set(study.baseline.seeds))


def mean_difference(study: Study, row: Row) -> float:
    """The row's mean top-1 less the baseline's, whether or not an interval belongs to it."""
    ours, theirs = (math.fsum(each.values("top1")) / each.n for each in (row, study.baseline))
    return ours - theirs


def _samples(rows: Sequence[Row]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row.values("top1")) for row in rows)


@dataclass(frozen=True)
class Finding:
    """A row beside the baseline.

    `verdict` is one of comparison.VERDICTS; `mean` the difference of the means of test top-1, with an interval or
    without; for an undecided one `seeds_needed` says how many seeds of every row would find a difference as large as
    the one seen, where that takes fewer than 100.
    """

    row: Row
    verdict: str
    mean: float
    seeds_needed: int | None


def findings(study: Study) -> tuple[Finding, ...]:
    """One finding for every row but the baseline, in the order of the rows."""
    found, rows, number = [], len(compared(study)), comparisons(study)
    for row, difference in zip(study.rows[1:], compare(study).values(), strict=True):
        decided = verdict(study, row, difference)
        needed = seeds_needed(difference, rows, number) if difference and decided == "undecided" else None
        found.append(Finding(row, decided, mean_difference(study, row), needed))
    return tuple(found)


def outlook(found: Sequence[Finding], words: Words) -> list[str]:
    """How many seeds would decide the open differences, in one sentence; nothing where none takes fewer than 100."""
    open_ones = [each for each in found if each.seeds_needed is not None]
    if not open_ones:
        return []
    counts = [words("findings.row_seeds", row=each.row.label, seeds=each.seeds_needed) for each in open_ones]
    return [words("findings.seeds", rows=words("findings.separator").join(counts), n=len(open_ones))]


def pair_sentences(study: Study, words: Words) -> list[str]:
    """Which rows of a table are distinguishable from which others, all pairs held to 95% at once; nothing where there
    are no two rows beside the baseline to compare."""
    found, rows = against_each_other(study), compared(study)
    if found is None or len(rows) < 3:
        return []
    pairs = [(one, other, each) for (one, other), each in found.differences.items() if each.distinguishable]
    if not pairs:
        return [words("findings.no_pair", n=len(found.differences))]
    named = []
    for one, other, each in pairs[:MOST_PAIRS]:
        above, below = (one, other) if each.mean > 0 else (other, one)
        fields = {"above": rows[above].label, "below": rows[below].label, "mean": points(abs(each.mean)).lstrip("+")}
        named.append(words("findings.pair", **fields))
    listing = words("findings.separator").join(named)
    if len(pairs) > MOST_PAIRS:
        listing = words("findings.and_more", names=listing, n=len(pairs) - MOST_PAIRS)
    return [words("findings.pairs", pairs=listing, n=len(found.differences), found=len(pairs))]


def tally(found: Sequence[Finding], words: Words) -> list[str]:
    """How many rows there are of each verdict and which, a sentence each; verdicts that do not occur are left out."""
    by_verdict = {name: [each.row.label for each in found if each.verdict == name] for name in VERDICTS}
    return [
        words(f"findings.tally.{name}", n=len(labels), rows=listed(labels, words))
        for name, labels in by_verdict.items()
        if labels
    ]


def listed(names: Sequence[str], words: Words, most: int = 12) -> str:
    """Names in a row, the rest counted; semicolons part names with commas."""
    separator = words("findings.separator" if any("," in name for name in names) else "findings.comma")
    shown = separator.join(names[:most]) if len(names) > 1 else "".join(names)
    return words("findings.and_more", names=shown, n=len(names) - most) if len(names) > most else shown
