"""A search for hyper-parameters: what is tried, what is given up, and how it goes on where it stopped."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from cifar100.base.errors import Interrupted, Pruned, RunFailed, UserError
from cifar100.sweep import search, trials

optuna = pytest.importorskip("optuna", reason="needs pip install 'cifar100-lab[hpo]'")

SPACE = ("optimizer.lr=tag(log, interval(0.01, 1.0))", "augment=choice(cutout, none)")
STATES = optuna.trial.TrialState


class Launcher:
    """Runs trials by a function of their overrides and number by name; None for a failed one."""

    def __init__(self, run):
        self.run, self.jobs = run, []

    def launch(self, jobs, initial_job_idx):
        named = [dict(each.split("=", 1) for each in job) for job in jobs]
        self.jobs += [job | {"number": initial_job_idx + index} for index, job in enumerate(named)]
        return [SimpleNamespace(return_value=self.run(job)) for job in self.jobs[-len(jobs) :]]


def typed_search(place, run, *arguments, n_trials=4, n_jobs=1, pruner=None) -> list[dict]:
    """The overrides and numbers, by name, of the trials that are launched."""
    launcher = Launcher(run)
    space, fixed = search.search_space(arguments or (*SPACE, "seed=3"))
    options = {"n_trials": n_trials, "n_jobs": n_jobs, "sampler": optuna.samplers.TPESampler, "seed": 0}
    search.search(launcher, place, space, fixed, **options, pruner=pruner)
    return launcher.jobs


def test_finds_the_highest_and_draws_how(tmp_path):
    jobs = typed_search(tmp_path, lambda job: float(job["optimizer.lr"]), n_trials=6, n_jobs=4)
    assert len(jobs) == 6 and len({job["optimizer.lr"] for job in jobs}) == 6
    assert {job["seed"] for job in jobs} == {"3"} and {job["augment"] for job in jobs} == {"cutout", "none"}
    assert [job["number"] for job in jobs] == [0, 1, 2, 3, 4, 5]
    best = max(float(job["optimizer.lr"]) for job in jobs)
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert found["best_value"] == found["best_params"]["optimizer.lr"] == best and 0.01 < best < 1
    assert {file.stem for file in (tmp_path / "search").iterdir()} == {"history", "importance", "slices", "epochs"}


def test_goes_on_where_it_was_killed(tmp_path):
    def killed(job):
        if job["number"] == 2:
            raise KeyboardInterrupt
        return 0.5 if job["number"] == 1 else None

    with pytest.raises(KeyboardInterrupt):
        typed_search(tmp_path, killed)
    assert [job.state for job in trials.earlier_trials(tmp_path)] == ["failed", "skipped"]
    cut_off = trials.open_study(tmp_path).trials[2].params
    first, second = typed_search(tmp_path, lambda job: 0.25)
    assert (first["number"], float(first["optimizer.lr"])) == (2, cut_off["optimizer.lr"])
    assert second["number"] == 3
    assert typed_search(tmp_path, lambda job: 1.0) == [], "four there are"
    (more,) = typed_search(tmp_path, lambda job: 0.1, n_trials=5)
    tried = [trial.params["optimizer.lr"] for trial in trials.open_study(tmp_path).trials]
    assert len(set(tried)) == 5, "a later session does not begin with what an earlier one tried"
    assert [job.num for job in trials.earlier_trials(tmp_path)] == [0, 1, 2, 3, 4]
    assert {job.overrides[-1] for job in trials.earlier_trials(tmp_path)} == {"seed=3"}, "as those of the later ones"


def test_gives_up_what_falls_behind(tmp_path):
    pruner = optuna.pruners.PercentilePruner(75.0, n_startup_trials=2, n_warmup_steps=2)

    def run(job):
        number, accuracy = job["number"], [0.5, 0.6, 0.7, 0.1, 0.8][job["number"]]
        report, epochs = trials.judge(tmp_path, number, pruner), []
        try:
            for epoch in (1, 2, 3):
                epochs.append(epoch)
                report({"epoch": epoch, "val/top1": accuracy})
        except Pruned as end:
            assert (number, epochs, end.epoch) == (3, [1, 2], 2)
            return None
        return accuracy

    typed_search(tmp_path, run, n_trials=5, pruner=pruner)
    states = [trial.state for trial in trials.open_study(tmp_path).trials]
    assert states == [STATES.COMPLETE] * 3 + [STATES.PRUNED, STATES.COMPLETE]
    assert [job.state for job in trials.earlier_trials(tmp_path)].count("pruned") == 1


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a=interval(0,1)", optuna.distributions.FloatDistribution(0.0, 1.0)),
        ("a=tag(log,interval(0.1,1))", optuna.distributions.FloatDistribution(0.1, 1.0, log=True)),
        ("a=range(2,9,3)", optuna.distributions.IntDistribution(2, 8, step=3)),
        ("a=1,x,null", optuna.distributions.CategoricalDistribution([1, "x", "null"])),
    ],
)
def test_what_hydra_would_sweep_is_searched(argument, expected):
    space, fixed = search.search_space(["a=1,2", argument, "b=[1,2]"])
    assert space == {"a": expected} and fixed == ["b=[1,2]"]


def test_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match="nothing is searched"):
        typed_search(tmp_path, float, "seed=1")
    with pytest.raises(UserError, match=r"hydra\.sweeper\.n_jobs=0"):
        typed_search(tmp_path, float, n_jobs=0)
    with pytest.raises(RunFailed, match="no trial has finished"):
        typed_search(tmp_path, lambda job: None)
    with pytest.raises(UserError, match="other choices.*name another study"):
        typed_search(tmp_path, lambda job: 1.0, "augment=choice(a, b)", n_trials=9)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "processes"])
def test_a_search_as_typed(launcher, typed, tiny, runs, closing, monkeypatch):
    from cifar100 import app

    build_loop, calls = app.build_loop, []

    def third_is_interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise Interrupted(signal.SIGTERM)
        return build_loop(*arguments)

    monkeypatch.setattr(app, "build_loop", third_is_interrupted)
    arguments = ["train", "experiment=hpo", *tiny, "trainer=default", "trainer.num_train_epochs=2"]
    arguments += ["augment=choice(none,standard)", "hydra.sweeper.n_trials=4"]
    ended = typed(*arguments)
    assert ended.status == 143
    (interrupted,) = [name for name, run in runs().items() if run.state() == "interrupted"]
    assert "-weight_decay" in interrupted and "-lr" in interrupted
    arguments += [f"hydra/launcher={launcher}", "hydra.sweeper.n_jobs=2"]
    ended = typed(*arguments)
    assert ended.status == 0, ended.err
    assert len(runs()) == 4 and runs()[interrupted].state() == "finished"
    *rows, total = closing(ended.out)
    assert [row[3] for row in rows] == ["skipped"] * 2 + ["finished"] * 2 and rows[2][-1] == interrupted
    best = max(run.summary()["best"]["val/top1"] for run in runs().values())
    assert yaml.safe_load(Path("multirun/hpo/optimization_results.yaml").read_text())["best_value"] == best
    assert sorted(path.name for path in Path("multirun/hpo").iterdir() if path.name not in runs()) == [
        "optimization_results.yaml",
        "search",
        "trials.journal",
    ]
    assert typed(*arguments).out.rstrip().endswith("4 jobs: 4 skipped")


@pytest.mark.slow
def test_a_run_that_was_given_up_goes_on_by_itself(typed, tiny, runs, closing):
    arguments = ["train", "experiment=hpo", *tiny, "trainer=default", "trainer.num_train_epochs=3"]
    arguments += ["optimizer.lr=choice(0.1,1e-6)", "augment=none", "optimizer.weight_decay=0", "seed=range(1,9)"]
    pruner = ["percentile=1.0", "n_startup_trials=1", "n_warmup_steps=0"]
    arguments += ["hydra.sweeper.n_trials=6", *(f"hydra.sweeper.pruner.{each}" for each in pruner)]
    ended = typed(*arguments)
    assert ended.status == 0, ended.err
    given_up = [run for run in runs().values() if run.state() == "interrupted"]
    assert given_up and closing(ended.out)[-1][-1] == "pruned"
    epochs = len(given_up[0].metrics())
    assert epochs < 3 and f"after epoch {epochs}" in given_up[0].status()["error"]
    recipe = given_up[0].config()
    typed(*arguments[:1], *tiny, f"seed={recipe['seed']}", f"optimizer.lr={recipe['optimizer']['lr']}", "augment=none",
          "optimizer.weight_decay=0", "trainer.num_train_epochs=3", "study=hpo")  # fmt: skip
    assert given_up[0].state() == "finished" and len(given_up[0].metrics()) == 3


@pytest.mark.slow
def test_a_search_in_which_all_fail(typed, tiny, closing):
    ended = typed("train", "experiment=hpo", *tiny, "optimizer.lr=1e30", "hydra.sweeper.n_trials=2", "study=bad")
    assert ended.status == 1 and ended.err.splitlines()[-1].startswith("no trial has finished")
    assert closing(ended.out)[-1] == ["2", "jobs:", "2", "failed"]
