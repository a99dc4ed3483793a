"""A command that the report tells is one that leads to the run: composed again, it has the same run id."""

import shlex

import pytest
from omegaconf import OmegaConf

from cifar100.config import check_typed_choices, recipe, run_id
from cifar100.report.records.provenance import recorded_command
from cifar100.report.records.run import read_run


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=3"],
        ["attention=eca", "trainer=fast", "trainer.num_train_epochs=5"],
        ["block=convnext", "norm=ln", "data.val_size=0"],
        ["model=mlp_mixer", "seed=1"],
        ["model=csp_densenet", "scheduler=wsd"],
        ["data=digits", "optimizer=muon", "augment=none"],
        ["row=main_3_convnext", "trainer=fast", "seed=2"],
        ["row=main_6_mlp_mixer", "optimizer=adamw", "augment=randaugment"],
    ],
)
def test_the_command_leads_to_the_run(write, overrides, compose):
    config = compose(*overrides, hydra=True)
    changes = {key: value for key, value in recipe(config).items() if key != "seed"}
    choices = OmegaConf.to_container(config.hydra.runtime.choices)
    run = write(seed=config.seed, changes=changes, epochs=1, classes=6)
    run.write_config(run.config() | changes | {"choices": choices})
    python, script, *typed = shlex.split(recorded_command(read_run(run)))
    again = compose(*typed, hydra=True)
    assert (python, script, run_id(again)) == ("python", "train.py", run_id(config))
    check_typed_choices(again, typed)
