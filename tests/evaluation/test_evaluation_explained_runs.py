"""Explanations and comparisons of recorded runs, by evaluate_run and by the command."""

import shutil

import pytest

from cifar100.evaluation import evaluate_run, evaluate_runs
from cifar100.record import RunDirectory

AS_TRAINED = ("trainer.bf16=true", "trainer.torch_compile=true")


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def runs(record_run, tmp_path, monkeypatch) -> list[RunDirectory]:
    """Two runs that differ in their seed. The figures of every evaluation have tests of their own."""
    monkeypatch.setattr("cifar100.evaluation.evaluation_folder.png", lambda figure: b"a figure")
    return [record_run(tmp_path / "study" / f"seed{seed}", *AS_TRAINED, seed=seed) for seed in (0, 1)]


def explained(run: RunDirectory) -> set[str]:
    folder = run.path / "evaluation" / "explanations"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_one_run_explained_and_compared(runs, cache):
    pytest.importorskip("captum")
    one, other = runs
    names = ["gradcam", "confused", "hardest", "misclassified"]
    evaluate_run(one.path, cache_dir=cache, latency=False, explain=names, samples=4, compare=str(other.path))
    assert explained(one) == {
        *("gradcam.png", "gradcam.safetensors", "confused_pairs.csv", "hardest_classes.csv"),
        *("misclassified.png", "misclassified.csv", "explanations.json"),
        *("comparison/seed1.csv", "comparison/seed1.png"),
    }
    assert not (other.path / "evaluation").exists()
    rows = one.read_csv("explanations/comparison/seed1.csv")
    wrong = one.read_csv("explanations/misclassified.csv")
    top1 = one.read_json("metrics.json")["test/top1"]
    assert sum(float(row["top1"]) * int(row["n"]) for row in rows) == pytest.approx(360 * top1)
    assert len(wrong) == round(360 * (1 - top1))
    theirs = evaluate_run(other.path, cache_dir=cache, latency=False)["test/top1"]
    assert sum(float(row["other_top1"]) * int(row["n"]) for row in rows) == pytest.approx(360 * theirs)


def test_nothing_is_explained_unasked(runs, cache):
    evaluate_run(runs[0].path, cache_dir=cache, latency=False)
    assert not explained(runs[0])


def test_recorded_predictions_need_no_weights(runs, cache):
    one, other = runs
    evaluate_run(other.path, cache_dir=cache, latency=False)
    shutil.rmtree(other.path / "checkpoints")
    evaluate_run(one.path, cache_dir=cache, latency=False, compare=other.path)
    assert explained(one) == {"comparison/seed1.csv", "comparison/seed1.png"}


def test_of_several_runs_the_named_one_is_not_compared_with_itself(runs, cache):
    evaluate_runs(runs[0].path.parent, cache_dir=cache, latency=False, compare=runs[1].path)
    assert explained(runs[0]) == {"comparison/seed1.csv", "comparison/seed1.png"} and not explained(runs[1])
    with pytest.raises(ValueError, match="is the evaluated run itself"):
        evaluate_runs(runs[1].path, cache_dir=cache, latency=False, compare=runs[1].path)


def test_mistakes_are_told_before_anything_is_evaluated(runs, cache):
    for options in ({"explain": "gradcamm"}, {"samples": 0}, {"compare": "nowhere"}):
        with pytest.raises(ValueError):
            evaluate_run(runs[0].path, cache_dir=cache, latency=False, **options)
    assert not (runs[0].path / "evaluation").exists()


def test_the_command_takes_a_list_and_a_single_name(runs, typed):
    ended = typed("evaluate", f"run_dir={runs[0].path}", "latency=false", "explain=[confused,hardest]")
    assert ended.status == 0, ended.err
    assert explained(runs[0]) == {"confused_pairs.csv", "hardest_classes.csv", "explanations.json"}
    ended = typed("evaluate", f"run_dir={runs[0].path}", "explain=hardst")
    assert (ended.status, ended.err) == (2, "explain=hardst is unknown; did you mean hardest?\n")
