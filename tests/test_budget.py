"""benchmarks/budget.py plans whole seeds from what is measured, what is trained and how much time is left."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import budget  # noqa: E402

SLOW, FAST = ("row=slow",), ("row=fast",)


@pytest.fixture(autouse=True)
def speeds(monkeypatch):
    """Ten images/s and a hundred, and no time to start; as many at a time as there are processes."""
    found = {SLOW: (10.0, 0.0), FAST: (100.0, 0.0)}
    monkeypatch.setattr(budget, "measure", lambda designs: [found[each] for each in designs])


def runs(tmp_path, trained=0):
    return [
        budget.Run(seed, design, tmp_path / f"{seed}-{design[0]}", trained if seed == "0" else 0, 10_000)
        for seed in ("0", "1", "2")
        for design in (SLOW, FAST)
    ]


def planned(tmp_path, seconds, jobs=2, every=False, **kwargs):
    deadline = time.monotonic() + seconds + budget.STOP_S
    return budget.plan(runs(tmp_path, **kwargs), jobs, deadline, every=every)


# A seed takes 1,000 s for the slow run beside the fast one, 367 s for evaluating both, and 15 s for the start of that.
@pytest.mark.parametrize(
    ("seconds", "seeds"), [(1_350, []), (1_450, ["0"]), (2_850, ["0", "1"]), (9_999, ["0", "1", "2"])]
)
def test_as_many_complete_seeds_are_planned_as_fit(tmp_path, seconds, seeds):
    chosen, reserve_s = planned(tmp_path, seconds)
    assert chosen == seeds
    assert reserve_s == pytest.approx(len(seeds) * (10_000 / 3 / 10 + 10_000 / 3 / 100 + budget.START_S))


def test_one_place_trains_one_run_after_the_other(tmp_path):
    assert planned(tmp_path, 1_450, jobs=1)[0] == []
    assert planned(tmp_path, 1_550, jobs=1)[0] == ["0"]


def test_what_is_trained_already_costs_nothing_again(tmp_path):
    assert planned(tmp_path, 500, trained=9_000)[0] == ["0"]
    assert planned(tmp_path, 500)[0] == []


def test_finished_and_evaluated_runs_are_planned_for_nothing_but_the_start(tmp_path):
    for run in runs(tmp_path)[:2]:
        (run.folder / "evaluation").mkdir(parents=True)
        (run.folder / "evaluation/metrics.json").write_text("{}")
    assert planned(tmp_path, 20, trained=10_000)[0] == ["0"]


def test_begin_next_goes_on_with_seeds_that_do_not_fit(tmp_path):
    chosen, reserve_s = planned(tmp_path, 1_450, every=True)
    assert chosen == ["0", "1", "2"]
    assert reserve_s == pytest.approx(budget.START_S + 10_000 / 3 / 10 + 10_000 / 3 / 100)


def test_the_jobs_are_those_of_the_typed_sweep():
    budget.register_resolvers()
    with budget.initialize_config_dir(str(budget.CONF), version_base="1.3"):
        typed = ["experiment=main", "seed=3,4", "row=main_1_eca", "trainer.num_train_epochs=2"]
        jobs = budget.planned(budget.composed(typed, budget.RunMode.MULTIRUN))
        found = [budget.run_of(job) for job in jobs]
    assert [(run.seed, run.design) for run in found] == [(seed, ("row=main_1_eca",)) for seed in ("3", "4")]
    assert {run.images for run in found} == {90_000}
    assert len({run.folder for run in found}) == 2 and all(run.trained == 0 for run in found)
