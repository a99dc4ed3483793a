"""The command evaluate with conf/evaluate.yaml: the files that it writes, and no others."""

from pathlib import Path

import pytest


@pytest.fixture
def study(record_run, tmp_path) -> Path:
    """multirun/digits with two recorded runs that were never trained."""
    for seed in (0, 1):
        record_run(tmp_path / "multirun" / "digits" / f"seed{seed}", seed=seed)
    return tmp_path / "multirun" / "digits"


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_glob_evaluates_all_and_leaves_nothing_else(study, typed):
    ended = typed("evaluate", "run_dir=multirun/digits/*", "latency=false")
    assert ended.status == 0, ended.err
    assert [line.split()[0] for line in ended.out.splitlines()[-2:]] == ["seed0", "seed1"]
    assert entries(study.parents[1]) == {"multirun"}
    assert entries(study) == {"seed0", "seed1"}
    for run in study.iterdir():
        assert (run / "evaluation" / "metrics.json").exists() and not (run / ".hydra").exists()


def test_a_sweep_leaves_nothing_in_the_working_folder(study, typed, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    runs = "run_dir=multirun/digits/seed0,multirun/digits/seed1"
    ended = typed("evaluate", "-m", runs, "checkpoint=best", "latency=false")
    assert ended.status == 0, ended.err
    assert (study / "seed1" / "evaluation" / "metrics.json").exists()
    assert entries(study.parents[1]) == {"multirun"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run_dir=multirun/digits/seed0", "checkpoint=bset"], "did you mean best?"),
        ([], "run_dir"),
    ],
)
def test_mistakes_are_one_line(study, typed, arguments, message):
    ended = typed("evaluate", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.splitlines()) == 1
