"""How often tables claim a difference that is none, and how often they find one that is there.

Studies are drawn: rows of accuracies on 10,000 images whose seeds scatter by 0.25 points. `pytest -s` prints the rates.
"""

import math

import numpy
import pytest

from cifar100.report.claims.comparison import compare
from cifar100.report.claims.simultaneous import against_first, all_pairs
from cifar100.report.claims.statistics import Comparison
from cifar100.report.records.study import read_study

ROWS, STUDIES, DEVIATION = 8, 1000, 0.0025
FIRST_WIDE, LAST_WIDE, EQUAL = (3.0, *[1.0] * 7), (*[1.0] * 7, 3.0), (1.0,) * 8


def drawn(seeds: int, scatter: tuple[float, ...], effect: float = 0.0) -> list[tuple[tuple[float, ...], ...]]:
    """Studies of rows that differ in nothing, but for the second one if there is an effect."""
    rng = numpy.random.default_rng(seeds)
    values = 0.6 + DEVIATION * numpy.array(scatter)[:, None] * rng.normal(size=(STUDIES, len(scatter), seeds))
    values[:, 1] += effect
    return [tuple(map(tuple, study)) for study in numpy.round(values, 4).tolist()]


def any_claim(found: Comparison) -> bool:
    return any(each.distinguishable for each in found.differences.values())


def within(rate: float, limit: float) -> bool:
    """Whether a counted share is at most `limit`, up to two standard errors of the count."""
    return rate <= limit + 2 * math.sqrt(limit * (1 - limit) / STUDIES)


@pytest.fixture
def quick_dunnett(monkeypatch):
    """The critical value of a table depends on its numbers of runs alone; it is found once rather than per study."""
    from cifar100.report.claims import simultaneous

    known = {}
    real = simultaneous._dunnett

    def dunnett(samples):
        sizes = tuple(map(len, samples))
        if sizes not in known:
            known[sizes] = real(samples)[0]
        return known[sizes], (0.5,) * (len(samples) - 1)

    monkeypatch.setattr(simultaneous, "_dunnett", dunnett)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize(("scatter", "limit"), [(EQUAL, 0.05), (FIRST_WIDE, 0.07), (LAST_WIDE, 0.07)])
def test_false_claims_against_the_baseline_are_rare(quick_dunnett, seeds, scatter, limit):
    rate = sum(any_claim(against_first(study)) for study in drawn(seeds, scatter)) / STUDIES
    print(f"baseline, {seeds} seeds, deviations {scatter}: {rate:.1%} of null tables claim something")
    assert within(rate, limit)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize(("scatter", "limit"), [(EQUAL, 0.05), (LAST_WIDE, 0.07)])
def test_false_claims_among_all_pairs_are_rare(seeds, scatter, limit, monkeypatch):
    from cifar100.report.claims import simultaneous

    monkeypatch.setattr(simultaneous.stats.studentized_range, "sf", lambda *_: 0.5)  # p decides nothing, and is slow
    rate = sum(any_claim(all_pairs(study)) for study in drawn(seeds, scatter)) / STUDIES
    print(f"all pairs, {seeds} seeds, deviations {scatter}: {rate:.1%} of null tables claim something")
    assert within(rate, limit)


def test_a_true_point_is_found(quick_dunnett):
    """At three seeds and a deviation of 0.25 points, in a table of eight rows."""
    studies = drawn(3, EQUAL, effect=0.01)
    found = sum(against_first(study).differences[1, 0].distinguishable for study in studies) / STUDIES
    print(f"a true difference of one point is found in {found:.1%} of tables")
    assert found >= 0.8 - math.sqrt(0.8 * 0.2 / STUDIES)


def test_the_interval_is_narrow_enough_to_decide():
    """Half-width at eight rows, three seeds and a deviation of exactly 0.25 points: today's 0.6, at most 0.7."""
    step = DEVIATION
    study = tuple((0.6 + 0.001 * row - step, 0.6 + 0.001 * row, 0.6 + 0.001 * row + step) for row in range(ROWS))
    found = against_first(study)
    assert found.std == pytest.approx(DEVIATION) and found.df == 16 and not found.apart
    halves = [(each.high - each.low) / 2 for each in found.differences.values()]
    print(f"half-width {100 * halves[0]:.2f} points")
    assert max(halves) <= 0.007 and max(halves) - min(halves) < 1e-12


def test_without_the_rule_for_scatter_too_many_would(quick_dunnett, monkeypatch):
    from cifar100.report.claims import simultaneous

    monkeypatch.setattr(simultaneous, "SCATTER_LEVELS", {"baseline": 0.0, "rows": 0.0, "pairs": 0.0})
    simultaneous.against_first.cache_clear()
    rate = sum(any_claim(against_first(study)) for study in drawn(3, FIRST_WIDE)) / STUDIES
    simultaneous.against_first.cache_clear()
    print(f"Dunnett's test alone: {rate:.1%}")
    assert rate > 0.12


def test_one_network_under_many_names_read_from_run_directories(write, tmp_path):
    """The whole way, from files: rows whose accuracies are drawn around one value."""
    for row in range(6):
        for seed in range(3):
            changes = {"model.stem.kernel_size": 3 + 2 * row}
            write(seed=seed, label=f"Copy {row}", changes=changes, epochs=1, classes=20)
    found = compare(read_study(tmp_path))
    assert len(found) == 5 and all(each.n == 3 and each.has_interval for each in found.values())
    assert not any(each.distinguishable for each in found.values())
