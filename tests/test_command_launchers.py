"""What launchers and sweepers of other packages do, told in a line."""

import pytest
from hydra.errors import MissingConfigException
from joblib.externals.loky.process_executor import TerminatedWorkerError

from cifar100.base.errors import FAILED, MISTYPED
from cifar100.command import run
from cifar100.config import CONF
from cifar100.mistakes import EXTRAS, check_choices, explain, mistake

MISSING = "In 'hydra/launcher/processes': Could not load 'hydra/{}/{}'.\nAvailable options:\n\tbasic\n"


@pytest.mark.parametrize(
    ("group", "choice", "extra"),
    [("launcher", "joblib", "joblib"), ("launcher", "submitit_slurm", "slurm")],
)
def test_a_plugin_that_is_not_installed(group, choice, extra):
    error = MissingConfigException(MISSING.format(group, choice), missing_cfg_file=choice)
    assert mistake(error) == MISTYPED
    assert explain(error) == f"hydra/{group}={choice} is not installed; pip install 'cifar100-lab[{extra}]'"


def test_another_choice_that_is_missing_is_answered_with_the_nearest():
    error = MissingConfigException(MISSING.format("launcher", "slurmm"))
    assert explain(error) == "hydra/launcher=slurmm is unknown; did you mean slurm?"


def test_every_preset_is_told_of_where_its_plugin_is_missing():
    for preset in (CONF / "hydra" / "launcher").glob("*.yaml"):
        text = preset.read_text(encoding="utf-8")
        (plugin,) = [choice for choice in EXTRAS if f"\n  - {choice}\n" in text]
        assert f"pip install 'cifar100-lab[{EXTRAS[plugin]}]'" in text


@pytest.mark.parametrize("argument", ["hydra/launcher=basic", "hydra/launcher=joblib", "hydra/sweeper=optuna"])
def test_choices_of_plugins_are_hydras_to_judge(argument):
    check_choices([argument], [CONF])


def test_what_ends_a_sweep_outside_of_its_jobs_is_its_launchers(monkeypatch, capsys):
    def main():
        raise TerminatedWorkerError("A worker process was unexpectedly terminated.\nThe exit codes are {SIGKILL(-9)}")

    monkeypatch.setattr("cifar100.sweep.leads", lambda: True)
    with pytest.raises(SystemExit) as end:
        run(main, [])
    assert end.value.code == FAILED
    assert (
        capsys.readouterr().err
        == "the sweep stopped: A worker process was unexpectedly terminated; the same command continues\n"
    )
