"""What launchers and sweepers of other packages do, told in a line."""

import pytest
from hydra.errors import MissingConfigException
from joblib.externals.loky.process_executor import TerminatedWorkerError

from cifar100.config import CONF
from cifar100.mistakes import EXTRAS, FAILED, MISTYPED, check_choices, explain, mistake

MISSING = "In 'hydra/launcher/processes': Could not load 'hydra/{}/{}'.\nAvailable options:\n\tbasic\n"


@pytest.mark.parametrize(
    ("group", "choice", "extra"),
    [("launcher", "joblib", "joblib"), ("launcher", "submitit_slurm", "slurm"), ("sweeper", "optuna", "hpo")],
)
def test_a_plugin_that_is_not_installed(group, choice, extra):
    error = MissingConfigException(MISSING.format(group, choice), missing_cfg_file=choice)
    assert mistake(error) == MISTYPED
    assert explain(error) == f"hydra/{group}={choice} is not installed; pip install 'cifar100-lab[{extra}]'"


def test_another_choice_that_is_missing_is_hydras_to_tell():
    assert "Available options: basic" in explain(MissingConfigException(MISSING.format("launcher", "slurmm")))


def test_every_preset_is_told_of_where_its_plugin_is_missing():
    for group in ("launcher", "sweeper"):
        for preset in (CONF / "hydra" / group).glob("*.yaml"):
            text = preset.read_text(encoding="utf-8")
            (plugin,) = [choice for choice in EXTRAS if f"\n  - {choice}\n" in text]
            assert f"pip install 'cifar100-lab[{EXTRAS[plugin]}]'" in text


@pytest.mark.parametrize("argument", ["hydra/launcher=basic", "hydra/launcher=joblib", "hydra/sweeper=optuna"])
def test_choices_of_plugins_are_hydras_to_judge(argument):
    check_choices([argument], [CONF])


def test_a_worker_that_was_killed():
    error = TerminatedWorkerError("A worker process was unexpectedly terminated.\nThe exit codes are {SIGKILL(-9)}")
    assert mistake(error) == FAILED
    assert explain(error) == (
        "the sweep stopped: A worker process was unexpectedly terminated; the same command continues"
    )


def test_a_search_without_a_finished_trial():
    optuna = {"__name__": "optuna.study"}  # the error is the package's whose code raises it
    exec("def best_trial():\n    raise KeyError('Record does not exist.')", optuna)
    with pytest.raises(KeyError) as caught:
        optuna["best_trial"]()
    assert mistake(caught.value) == FAILED
    assert explain(caught.value) == "the sweep stopped: no trial has finished; the same command continues"
