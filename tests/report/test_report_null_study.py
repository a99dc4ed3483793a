"""Studies in which nothing differs: at most one in twenty may call any row distinguishable."""

import math

import numpy
import pytest

from cifar100.report.claims.comparison import compare
from cifar100.report.claims.statistics import paired_difference
from cifar100.report.records.study import read_study

ROWS, STUDIES = 8, 500
LIMIT = 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)  # three standard errors of the share that is counted


def null_study(rng: numpy.random.Generator, seeds: int) -> numpy.ndarray:
    """Accuracies of 8 rows of one network: what a seed has in common, its own luck, and 10,000 images to count."""
    common = rng.normal(0, 0.003, seeds)
    return numpy.round(0.6 + common + rng.normal(0, 0.004, (ROWS, seeds)), 4)


def share_of_claims(seeds: int, comparisons: int) -> float:
    rng = numpy.random.default_rng(seeds)
    claims = 0
    for _ in range(STUDIES):
        baseline, *rows = [dict(enumerate(values)) for values in null_study(rng, seeds)]
        claims += any(paired_difference(row, baseline, comparisons).distinguishable for row in rows)
    return claims / STUDIES


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_at_most_one_null_study_in_twenty_claims_a_difference(seeds):
    assert share_of_claims(seeds, ROWS - 1) <= LIMIT


def test_without_the_correction_too_many_would():
    assert share_of_claims(10, 1) > LIMIT


def test_a_real_difference_is_found():
    rng = numpy.random.default_rng(0)
    found = 0
    for _ in range(100):
        baseline, row = null_study(rng, 10)[:2]
        found += paired_difference(dict(enumerate(row + 0.012)), dict(enumerate(baseline)), ROWS - 1).distinguishable
    assert found > 80


def test_one_network_under_many_names_read_from_run_directories(synthetic, tmp_path):
    """The whole way, from files: rows whose accuracies are drawn around one value."""
    for row in range(6):
        for seed in range(4):
            changes = {"model.stem.kernel_size": 3 + 2 * row}
            synthetic.write_run(tmp_path, seed=seed, label=f"Copy {row}", changes=changes, epochs=1, classes=20)
    study = read_study(tmp_path)
    found = compare(study)
    assert len(found) == 5 and all(each.comparisons == 5 and each.n == 4 for each in found.values())
    assert not any(each.distinguishable for each in found.values())
