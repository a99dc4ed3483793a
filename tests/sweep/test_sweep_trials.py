"""A search for hyper-parameters goes on where it stopped."""

import signal
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cifar100.base.errors import Interrupted
from cifar100.sweep import trials

optuna = pytest.importorskip("optuna", reason="needs pip install 'cifar100-lab[hpo]'")
pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="needs pip install 'cifar100-lab[hpo]'")

SPACE = {"lr": optuna.distributions.UniformDistribution(0, 1)}


@pytest.fixture
def sweeper(tmp_path):
    return OmegaConf.create(
        {
            "_target_": "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper",
            "storage": f"sqlite:///{tmp_path}/trials.db",
            "study_name": "probe",
            "direction": "maximize",
            "n_trials": 10,
            "sampler": {"seed": 5},
        }
    )


def ask(study) -> "optuna.trial.Trial":
    trial = study.ask()
    trial._suggest("lr", SPACE["lr"])
    return trial


def test_counts_what_is_done_and_puts_first_what_was_cut_off(sweeper, tmp_path):
    assert trials.resume(sweeper, tmp_path) == [] and sweeper.n_trials == 10
    study = optuna.load_study("probe", sweeper.storage)
    study.tell(ask(study), 0.5)
    study.tell(ask(study), state=optuna.trial.TrialState.FAIL)
    cut_off = ask(study)
    for _ in range(2):  # killed again before it came to that trial
        sweeper.n_trials, sweeper.sampler.seed = 10, 5
        finished, failed = trials.resume(sweeper, tmp_path)
        assert sweeper.n_trials == 8
    assert (finished.state, finished.objective, finished.num) == ("skipped", 0.5, -2)
    assert (failed.state, failed.status) == ("failed", 0), "not tried again, so no failure of this command"
    assert sweeper.sampler.seed > 5, "else it would begin with what it has tried"
    again = ask(optuna.load_study("probe", sweeper.storage))
    assert again.params == cut_off.params
    study.tell(again.number, 0.25)
    sweeper.n_trials = 10
    assert [job.objective for job in trials.resume(sweeper, tmp_path)] == [0.5, None, 0.25]
    assert sweeper.n_trials == 7


def test_leaves_other_sweepers_alone(sweeper, tmp_path):
    del sweeper.storage
    sweeper._target_ = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
    assert trials.resume(sweeper, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_search_as_typed(typed, tiny, runs, closing, monkeypatch):
    from cifar100 import app

    build_loop, calls = app.build_loop, []

    def third_is_interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise Interrupted(signal.SIGTERM)
        return build_loop(*arguments)

    monkeypatch.setattr(app, "build_loop", third_is_interrupted)
    arguments = ["train", "experiment=hpo", *tiny, "trainer=default", "trainer.num_train_epochs=1"]
    arguments += ["augment=choice(none,standard)", "hydra.sweeper.n_trials=4"]
    ended = typed(*arguments)
    assert ended.status == 143
    (interrupted,) = [name for name, run in runs().items() if run.state() == "interrupted"]
    ended = typed(*arguments)
    assert ended.status == 0, ended.err
    assert len(runs()) == 4 and runs()[interrupted].state() == "finished"
    *rows, total = closing(ended.out)
    assert [row[3] for row in rows] == ["skipped"] * 2 + ["finished"] * 2 and rows[2][-1] == interrupted
    best = max(run.summary()["best"]["val/top1"] for run in runs().values())
    found = OmegaConf.load("multirun/hpo/optimization_results.yaml")
    assert found.best_value == best
    assert sorted(path.name for path in Path("multirun/hpo").iterdir() if path.name not in runs()) == [
        "optimization_results.yaml",
        "trials.db",
    ]
    assert typed(*arguments).out.rstrip().endswith("4 jobs: 4 skipped")


@pytest.mark.slow
def test_a_search_in_which_all_fail(typed, tiny, closing):
    ended = typed("train", "experiment=hpo", *tiny, "optimizer.lr=1e30", "hydra.sweeper.n_trials=2", "study=bad")
    assert ended.status == 1 and ended.err.splitlines()[-1].startswith("the sweep stopped: no trial has finished")
    assert closing(ended.out)[-1] == ["2", "jobs:", "2", "failed"]
