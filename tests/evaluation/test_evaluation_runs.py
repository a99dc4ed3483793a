"""Whole evaluations of recorded runs on the digits: files, choice of weights and data, several runs, processes."""

import logging
import math
import resource
import shutil
from pathlib import Path

import pytest
import torch
from accelerate import PartialState

from cifar100.evaluation import evaluate_run, evaluate_runs
from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[2]
FILES = [
    "confusion.csv",
    "confusion.png",
    "metrics.json",
    "per_class.csv",
    "predictions.safetensors",
    "reliability.png",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, record_run) -> Path:
    """A run as training leaves it: with other weights in its last epoch than in its best one."""
    run = record_run(tmp_path_factory.mktemp("runs") / "run")
    weights, _ = run.load_checkpoint("best")
    last = {name: tensor + 0.01 if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    run.save_checkpoint("last", last, {"progress": {"epoch": 5}})
    return run.path


@pytest.fixture
def run(pristine, tmp_path) -> RunDirectory:
    return RunDirectory(shutil.copytree(pristine, tmp_path / "study" / "run"))


@pytest.fixture(autouse=True)
def undrawn(monkeypatch) -> None:
    """Figures take most of the time and have tests of their own."""
    monkeypatch.setattr("cifar100.evaluation.evaluation_folder.png", lambda figure: b"a figure")


def evaluate(run: RunDirectory, cache: str, **options):
    return evaluate_run(run.path, cache_dir=cache, **({"latency": False} | options))


def test_everything_is_written_and_agrees(run, cache, caplog):
    with caplog.at_level(logging.INFO):
        results = evaluate(run, cache, latency=True, batch_size=100)
    assert sorted(path.name for path in (run.path / "evaluation").iterdir()) == FILES
    assert run.read_json("metrics.json") == results
    tensors, state = run.read_tensors("predictions.safetensors")
    logits, labels = tensors["logits"].double(), tensors["labels"]
    assert logits.shape == (360, 10) and state == {"split": "test", "checkpoint": "best"}
    assert results["n"] == 360
    assert results["test/top1"] == (logits.argmax(1) == labels).double().mean().item()
    assert results["test/top5"] == (logits.argsort(1)[:, -5:] == labels[:, None]).any(1).double().mean().item()
    chosen = logits.log_softmax(1)[torch.arange(360), labels]
    assert results["test/loss"] == pytest.approx(-chosen.mean().item(), rel=1e-9)
    rows = run.read_csv("per_class.csv")
    assert sum(int(row["n"]) for row in rows) == 360
    assert sum(float(row["top1"]) * int(row["n"]) for row in rows) == pytest.approx(360 * results["test/top1"])
    confusion = [[int(row[str(column)]) for column in range(10)] for row in run.read_csv("confusion.csv")]
    assert sum(confusion[index][index] for index in range(10)) == round(360 * results["test/top1"])
    assert (results["checkpoint"], results["epoch"], results["precision"]) == ("best", 1, "float32")
    assert results["latency_s"] > 0 and results["images_per_s"] > 0
    assert results["latency"]["machine"] and results["latency"]["threads"] == torch.get_num_threads()
    assert "evaluated batch 4 of 4" in caplog.messages


def test_results_do_not_depend_on_the_batch_size(run, cache):
    small, large = (evaluate(run, cache, batch_size=size) for size in (7, 1000))
    assert small["test/top1"] == large["test/top1"]
    assert small["test/loss"] == pytest.approx(large["test/loss"], rel=1e-5)


def test_checkpoint_and_split_are_the_ones_asked_for(run, cache):
    best = evaluate(run, cache)
    last = evaluate(run, cache, checkpoint="last")
    assert (last["checkpoint"], last["epoch"]) == ("last", 5) and last["test/loss"] != best["test/loss"]
    val = evaluate(run, cache, split="val")
    assert val["n"] == 140 and {"val/top1", "val/top5", "val/loss", "val/ece"} <= set(val)
    assert not any(name.startswith("test/") for name in val)
    assert run.read_json("metrics.json") == last  # held-out images have files of their own
    assert run.read_json("val/metrics.json") == val


def test_averaged_weights_are_preferred(run, cache):
    tensors, state = run.load_checkpoint("last")
    best, _ = run.load_checkpoint("best")
    average = {f"average.module.{name.removeprefix('model.')}": tensor for name, tensor in best.items()}
    expected = evaluate(run, cache)
    run.save_checkpoint("last", tensors | average | {"average.n_averaged": torch.tensor(7)}, state)
    assert evaluate(run, cache, checkpoint="last")["test/loss"] == expected["test/loss"]


def test_precision_as_trained_or_float32(record_run, tmp_path, cache):
    run = record_run(tmp_path / "run", "trainer.bf16=true")
    trained, exact = evaluate(run, cache), evaluate(run, cache, precision="float32")
    assert (trained["precision"], exact["precision"]) == ("bf16", "float32")
    assert trained["test/loss"] != exact["test/loss"] == pytest.approx(trained["test/loss"], rel=0.02)


def test_without_held_out_images_best_means_last(record_run, tmp_path, cache, caplog):
    run = record_run(tmp_path / "run", "data.val_size=0", checkpoint="last")
    with caplog.at_level(logging.INFO):
        assert evaluate(run, cache)["checkpoint"] == "last"
    assert any("data.val_size=0" in message and "checkpoint=last" in message for message in caplog.messages)
    with pytest.raises(ValueError, match="held out no images .* use split=test"):
        evaluate(run, cache, split="val")


def test_missing_weights_name_the_cure(run, cache):
    (run.path / "checkpoints" / "best.safetensors").unlink()
    with pytest.raises(ValueError, match="checkpoint=best: .* use checkpoint=last"):
        evaluate(run, cache)
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(ValueError, match="the record has no weights"):
        evaluate(run, cache)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"checkpoint": "bset"}, "checkpoint=bset is unknown; did you mean best?"),
        ({"split": "train"}, "split=train is unknown; choose one of test, val"),
        ({"precision": "float16"}, "precision=float16 is unknown; did you mean"),
        ({"batch_size": 0}, "batch_size=0 must be a whole number >= 1"),
        ({"batch_size": 2.5}, "batch_size=2.5 must be"),
        ({"data_path": "/nowhere"}, "data.path=/nowhere"),
    ],
)
def test_bad_arguments_are_one_clear_line(run, cache, option, message):
    with pytest.raises(ValueError) as caught:
        evaluate(run, cache, **option)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (run.path / "evaluation").exists()


@pytest.mark.parametrize(
    "data",
    [
        {"_target_": "torch.load", "f": "x"},
        {"_target_": "cifar100.data.digits.version", "distribution_name": "torch"},
        {"_target_": "cifar100.data.digits.read_digits", "name": {"_target_": "os.getcwd"}},
        {"_target_": "cifar100.data.digits.read_digits", "name": [[{"_target_": "os.getcwd"}]]},
        {"_target_": "cifar100.data.digits.read_digits", "_partial_": True},
        {"_target_": "cifar100.data.digits.read_digits", "_args_": ["x"]},
        {"_target_": ["cifar100.data.digits.read_digits"]},
        {},
        "digits",
    ],
)
def test_a_record_cannot_choose_what_is_called(run, cache, data):
    run.write_config(run.config() | {"data": data})
    with pytest.raises(ValueError, match="the record's") as caught:
        evaluate(run, cache)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": [65536, 65536, 65536]}, "more than 268435456 parameters"),
        ({"widths": [8, 8, 10**9]}, "the number 1000000000"),
        ({"depths": [65536, 1, 1]}, "more than 2000 blocks"),
        ({"stem_width": 65536}, "a layer makes"),
    ],
)
def test_a_gigantic_network_is_refused_before_it_takes_memory(run, cache, changes, message):
    config = run.config()
    run.write_config(config | {"model": config["model"] | changes})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=message) as refused:
        evaluate(run, cache)
    assert str(refused.value).isprintable() and "config.yaml: " in str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19, "half a GiB, in units of KiB"


def test_a_record_does_not_choose_where_images_are_read_or_cached(run, cache, tmp_path):
    data = run.config()["data"] | {"path": str(tmp_path / "trap"), "cache_dir": str(tmp_path / "elsewhere")}
    run.write_config(run.config() | {"data": data})
    assert evaluate(run, cache)["n"] == 360
    assert not (tmp_path / "elsewhere").exists()


def test_weights_of_another_network_are_refused(record_run, run, cache, tmp_path):
    wider = record_run(tmp_path / "wider", "model.widths=[4,4,16]")
    shutil.copy(wider.checkpoint_path("best"), run.checkpoint_path("best"))
    with pytest.raises(ValueError, match="does not fit the network in config.yaml") as caught:
        evaluate(run, cache)
    assert "\n" not in str(caught.value)


def test_other_images_than_those_trained_on_are_refused(run, cache):
    run.write_environment({"data": {"name": "digits", "fingerprint": "0" * 64}})
    with pytest.raises(ValueError, match="trained on other images of digits"):
        evaluate(run, cache)


def test_several_runs_by_glob_end_in_one_table(run, cache, caplog, pristine):
    shutil.copytree(pristine, run.path.parent / "other")
    with caplog.at_level(logging.INFO):
        results = evaluate_runs(str(run.path.parent / "*"), cache_dir=cache, latency=False)
    assert [Path(path).name for path in results] == ["other", "run"]
    lines = caplog.messages[-1].splitlines()
    assert lines[0].split()[:5] == ["run", "checkpoint", "epoch", "top1", "top5"]
    assert [line.split()[:3] for line in lines[2:]] == [["other", "best", "1"], ["run", "best", "1"]]
    assert f"{results[str(run.path)]['test/top1']:.2%}" in lines[3]


def test_a_run_that_fails_does_not_stop_the_others(run, cache, caplog, pristine):
    broken = RunDirectory(shutil.copytree(pristine, run.path.parent / "a-broken-one"))
    broken.checkpoint_path("best").write_bytes(b"damaged")
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="^1 of 2 runs .*a-broken-one: ") as caught:
        evaluate_runs(run.path.parent, cache_dir=cache, latency=False)
    assert "\n" not in str(caught.value)
    assert [line.split()[:2] for line in caplog.messages[-1].splitlines()[2:]] == [
        ["run", "best"],
        ["a-broken-one", "failed"],
    ]
    assert run.read_json("metrics.json")["n"] == 360


def test_a_start_that_failed_is_no_complaint_of_later_commands(run, cache, caplog):
    mistyped = RunDirectory(run.path.parent / "mistyped")
    mistyped.write_config(run.config())
    mistyped.write_status("failed", error="UserError: lr=-1 must be > 0")
    with caplog.at_level(logging.INFO):
        results = evaluate_runs(run.path.parent, cache_dir=cache, latency=False)
    assert list(results) == [str(run.path)]
    assert any("mistyped failed before its first epoch: UserError: lr=-1" in line for line in caplog.messages)
    with pytest.raises(ValueError, match="train it"):
        evaluate_runs(mistyped.path, cache_dir=cache, latency=False)


def test_no_run_at_all_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="names no run directory"):
        evaluate_runs(str(tmp_path / "*"))


def test_an_evaluation_cut_off_leaves_no_mixture_with_the_one_before(run, cache, monkeypatch):
    evaluate(run, cache)

    def full(self, name, content):
        raise OSError(28, "No space left on device", name)

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            evaluate(run, cache, checkpoint="last")
    assert run.read_tensors("predictions.safetensors")[1]["checkpoint"] == "last"
    assert run.read_json("metrics.json") is None, "or it would describe the predictions of best"
    evaluate(run, cache, checkpoint="last")
    assert run.read_json("metrics.json")["checkpoint"] == "last"


def evaluate_on_two_processes(in_processes, run: RunDirectory, cache: str, data_path: str | None = None) -> dict:
    def evaluate_part(index: int) -> int:
        evaluate_run(run.path, cache_dir=cache, data_path=data_path, batch_size=100, latency=False)
        return PartialState().num_processes

    assert in_processes(2, evaluate_part) == [2, 2]
    return run.read_json("metrics.json")


def test_two_processes_count_every_image_once(run, cache, in_processes):
    alone = evaluate(run, cache)
    logits = run.read_tensors("predictions.safetensors")[0]["logits"]
    shutil.rmtree(run.path / "evaluation")
    by_two = evaluate_on_two_processes(in_processes, run, cache)
    assert by_two["n"] == 360
    assert all(math.isclose(by_two[f"test/{key}"], alone[f"test/{key}"], rel_tol=1e-5) for key in ("top1", "loss"))
    assert torch.allclose(run.read_tensors("predictions.safetensors")[0]["logits"], logits, atol=1e-5)


@pytest.mark.slow
def test_two_processes_count_cifar100s_10000_test_images(record_run, tmp_path, cache, cifar100_path, in_processes):
    run = record_run(tmp_path / "run", "data=cifar100")
    assert evaluate_on_two_processes(in_processes, run, cache, str(cifar100_path))["n"] == 10_000
    assert [row["n"] for row in run.read_csv("per_class.csv")] == ["100"] * 100
    assert [row["n"] for row in run.read_csv("per_superclass.csv")] == ["500"] * 20
    assert {row["name"] for row in run.read_csv("per_class.csv") if row["superclass"] == "people"} == {
        "baby", "boy", "girl", "man", "woman"
    }  # fmt: skip
