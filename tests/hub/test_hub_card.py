"""The cards: numbers of the records, error bars of the seeds, metadata that the Hub reads, no markup from a record."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard

from cifar100.hub.cards import model_card, study_card
from cifar100.hub.siblings import own_row
from cifar100.record import RunDirectory
from cifar100.report.claims.statistics import summarize
from cifar100.report.records.run import read_run
from cifar100.report.records.study import read_study

CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")  # a span of CommonMark, in which nothing is markup
EVIL = "x](https://evil.example) <script>alert(1)</script> | `a` $b$ \x1b[31m\n---\n# y"


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """The report's tests' run directories of runs that never ran."""
    path = Path(__file__).parents[1] / "report" / "synthetic.py"
    found = importlib.util.spec_from_file_location("hub_synthetic", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def card_of(record: RunDirectory, license: str | None = None) -> str:
    run = read_run(record)
    return model_card(run, own_row(record, run), "ada/my_net", license)


def cells(card: str, name: str) -> list[str]:
    """The cells of the line of a table that begins with `name`."""
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_results_have_error_bars_of_the_runs_that_differ_only_in_their_seed(synthetic, tmp_path):
    runs = [synthetic.write_run(tmp_path, seed=seed) for seed in (0, 1, 2)]
    synthetic.write_run(tmp_path, seed=3, epochs=9)  # another recipe
    synthetic.write_run(tmp_path, seed=4, changes={"model.depths": [1, 1, 1]})  # another network
    synthetic.write_run(tmp_path, seed=5, evaluated=False)
    synthetic.write_run(tmp_path, seed=6, state="failed")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.yaml").write_text("a: &a 1")
    top1 = [run.read_json("metrics.json")["test/top1"] for run in runs]
    over = summarize(top1)
    card = card_of(runs[1])
    shown = [f"{100 * top1[1]:.2f}", f"{100 * over.mean:.2f} ± {100 * over.std:.2f}"]
    interval = cells(card, "Top-1 (%)")[2].strip("\\[]")
    assert cells(card, "Top-1 (%)")[:2] == shown
    assert [float(end) for end in interval.removesuffix("\\").split(", ")] == pytest.approx(
        [100 * over.low, 100 * over.high], abs=0.006
    )
    assert "seed 1, evaluated in `bf16`" in card and "seeds 0, 1, 2 differ in nothing else" in card


def test_one_run_has_no_error_bars_and_says_so(synthetic, tmp_path):
    card = card_of(synthetic.write_run(tmp_path / "study", seed=7))
    assert len(cells(card, "Top-1 (%)")) == 1 and "±" not in card
    assert "There is one run" in card and "One run stands behind the results" in card


def test_the_own_run_counts_where_another_has_its_seed(synthetic, tmp_path):
    synthetic.write_run(tmp_path, seed=0, name="a_copy", top1=0.2)
    mine = synthetic.write_run(tmp_path, seed=0, name="mine", top1=0.7)
    assert [run.name for run in own_row(mine, read_run(mine)).runs] == ["mine"]


def test_metadata_is_what_the_hub_reads(synthetic, tmp_path):
    run = synthetic.write_run(tmp_path / "study", latency_s=0.001)
    measured = run.read_json("metrics.json")
    data = ModelCard(card_of(run, "apache-2.0")).data
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "apache-2.0", "cifar100-lab", "image-classification"
    )  # fmt: skip
    assert data.datasets == ["uoft-cs/cifar100"] and data.model_name == "my_net"
    values = {
        (each.metric_name, each.dataset_type, each.dataset_split): each.metric_value for each in data.eval_results
    }
    assert values["Top-1", "uoft-cs/cifar100", "test"] == measured["test/top1"]
    assert values["Top-5", "uoft-cs/cifar100", "test"] == measured["test/top5"]
    assert "license" not in yaml.safe_load(card_of(run).split("---")[1])


def test_the_card_tells_costs_use_recipe_limits_and_citations(synthetic, tmp_path):
    card = card_of(synthetic.write_run(tmp_path / "study", latency_s=0.0012))
    assert cells(card, "Parameters") == ["278,324"] and cells(card, "Latency of one image (ms)") == ["1.20"]
    assert 'cifar100.from_pretrained("ada/my_net")' in card and "run_dir=hf://ada/my_net" in card
    assert cells(card, "optimizer | lr")[-1:] == ["0.1"] and "trainer.num_train_epochs=5" in card
    assert "trained for 5 epochs" in card and "he2015resnet" in card and "krizhevsky2009cifar" in card
    assert "author = {ada}," in card and r"title = {{my\_net}}," in card


def test_digits_are_not_taken_for_cifar(record):
    card = card_of(record)
    assert "trained from scratch on digits" in card and "not a benchmark" in card
    assert "uoft-cs" not in card and "alpaydin1998digits" in card


@pytest.mark.parametrize("place", ["label", "data", "checkpoint", "choices", "machine", "override"])
def test_no_text_of_a_record_is_markup(synthetic, tmp_path, place):
    changes = {"data.name": EVIL} if place == "data" else {}
    choices = {"model": EVIL, "row": EVIL} if place == "choices" else None
    evaluation = {"precision": EVIL, "latency": {"machine": EVIL}, "data_fingerprint": EVIL}
    run = synthetic.write_run(
        tmp_path / "study", label=EVIL if place == "label" else None, changes=changes, choices=choices,
        evaluation=evaluation if place == "checkpoint" else None, latency_s=0.001,
    )  # fmt: skip
    if place == "machine":
        run.write_environment({"hardware": {"cpu": EVIL}, "git": {"commit": EVIL, "dirty": True}})
    if place == "override":
        run.write_config(run.config() | {"overrides": [EVIL, "seed=0"]})
    for card in (card_of(run), study_card(read_study(tmp_path / "study"), None, weights=False)):
        body = card.split("\n---\n", 1)[1]
        prose = [line for line in body.splitlines() if not line.startswith("    ")]
        text = "\n".join(CODE.sub("", line.replace("\\`", "")) for line in prose)
        assert "<script" not in text.replace("\\<", "") and "](https" not in text.replace("\\](", "")
        assert "\x1b" not in card and "\n# y" not in body and "\n---" not in body
        assert ModelCard(card).text.lstrip() == body.lstrip(), "the metadata ends where it should"


def test_a_study_s_card_holds_its_main_table(synthetic, tmp_path):
    folder = synthetic.write_study(tmp_path / "my study", rows=3, seeds=2)
    synthetic.write_run(folder, seed=9, state="failed")
    study = read_study(folder)
    card = study_card(study, "cc-by-4.0", weights=True)
    data = DatasetCard(card).data.to_dict()
    assert data["pretty_name"] == "my study" and data["viewer"] is False and data["license"] == "cc-by-4.0"
    for row in study.rows:
        assert f"{100 * summarize(row.values('top1')).mean:.2f} ± " in card
    assert "Records of 6 training runs on CIFAR-100: 3 networks" in card
    assert "Found in the study, but not usable" in card and "widths must be positive" in card
