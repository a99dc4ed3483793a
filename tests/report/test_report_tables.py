"""The numbers of the tables, computed again from the files of the run directories."""

import json
import statistics
from pathlib import Path

import numpy
import pytest
from scipy import stats

from cifar100.record import find_runs
from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.tables.comparison import main_table
from cifar100.report.tables.table import Cell, Table

LANGUAGES = ("en", "zh")


def recorded(folder: Path) -> dict[str, dict[int, dict]]:
    """The entries of metrics.json and summary.json by label and seed, read without the report's own readers."""
    found: dict[str, dict[int, dict]] = {}
    for run in find_runs(folder):
        config = run.config()
        texts = [(run.path / name).read_text() for name in ("evaluation/metrics.json", "summary.json")]
        found.setdefault(config["label"], {})[config["seed"]] = json.loads(texts[0]) | json.loads(texts[1])
    return found


@pytest.fixture(params=LANGUAGES)
def words(request):
    return load_words(request.param)


def test_every_number_of_the_main_table(small_study, words):
    table, runs = main_table(read_study(small_study), words), recorded(small_study)
    assert [cell.text for cell in table.column("row")] == sorted(runs)
    for cells in table.rows:
        line = dict(zip(table.keys, cells, strict=True))
        each = list(runs[line["row"].text].values())
        for key in ("top1", "top5"):
            values = [100 * run[f"test/{key}"] for run in each]
            assert line[key].text == f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"
            assert line[key].value == pytest.approx(statistics.mean(values) / 100, rel=1e-12)
        assert line["n"].text == "3"
        assert line["parameters"].text == f"{each[0]['parameters']:,}"
        assert line["macs"].text == f"{each[0]['macs'] / 1e6:.2f}" and line["macs"].value == each[0]["macs"]
        seconds = statistics.mean(run["train_s"] for run in each)
        hours, minutes, rest = (int(part) for part in line["train_s"].text.split(":"))
        assert hours * 3600 + minutes * 60 + rest == round(seconds) == round(line["train_s"].value)


@pytest.fixture(scope="module")
def even_study(synthetic, tmp_path_factory) -> Path:
    """Four designs whose seeds scatter about alike, so that all are judged by the pooled deviation."""
    folder = tmp_path_factory.mktemp("even")
    for place, mean in enumerate((0.6, 0.603, 0.61, 0.57)):
        for seed, luck in enumerate((-0.003 + 0.0002 * place, 0.001, 0.002)):
            options = {"changes": {"model.widths": [16 + place, 32, 64]}, "evaluation": {"test/top1": mean + luck}}
            synthetic.write_run(folder, label=f"Design {place}", row=f"main_{place}", seed=seed, classes=5, **options)
    return folder


def simultaneous(runs: dict) -> tuple[list[float], list[float], list[float]]:
    """Low ends, high ends and p of Dunnett's test of all designs against the first."""
    first, *others = ([runs[name][seed]["test/top1"] for seed in (0, 1, 2)] for name in sorted(runs))
    test = stats.dunnett(*others, control=first, rng=numpy.random.default_rng(0))
    interval = test.confidence_interval()
    return list(interval.low), list(interval.high), list(test.pvalue)


def test_every_change_of_the_main_table(even_study, words):
    table, runs = main_table(read_study(even_study), words), recorded(even_study)
    first, *others = zip(table.column("row"), table.column("change"), table.column("verdict"), strict=True)
    assert [cell.text for cell in first] == ["Design 0", "—", words("tables.verdicts.baseline")]
    for (label, change, verdict), low, high in zip(others, *simultaneous(runs)[:2], strict=True):
        ours, theirs = ([runs[name][seed]["test/top1"] for seed in (0, 1, 2)] for name in (label.text, "Design 0"))
        mean = 100 * (statistics.mean(ours) - statistics.mean(theirs))
        assert change.text.replace("−", "-") == f"{mean:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
        key = "undecided" if low < 0 < high else "better" if mean > 0 else "worse"
        assert verdict.text == words(f"tables.verdicts.{key}")
    variances = [statistics.variance(run["test/top1"] for run in row.values()) for row in runs.values()]
    pooled = f"{100 * statistics.mean(variances) ** 0.5:.2f}"
    assert words("tables.notes.pooled", n=3, std=pooled, df=8) in table.notes


def test_one_seed_prints_no_deviation_and_claims_nothing(synthetic, tmp_path, words):
    synthetic.write_study(tmp_path, rows=2, seeds=1, effect=0.3)
    table = main_table(read_study(tmp_path), words)
    assert not [
        cell.text for key in ("top1", "top5", "change") for cell in table.column(key) if set("±[") & set(cell.text)
    ]
    assert table.column("change")[1].value > 0.2
    assert table.column("verdict")[1].text == words("tables.verdicts.one_seed")
    assert words("tables.notes.one_seed") in table.notes


def test_two_runs_without_an_interval_say_so(write, tmp_path, words):
    for label, place, top1 in (("A", 8, (0.5, 0.6)), ("B", 9, (0.4, 0.6)), ("C", 10, (0.3, 0.7))):
        for seed in (0, 1):
            options = {"changes": {"model.widths": [place, 32, 64]}, "evaluation": {"test/top1": top1[seed]}}
            write(label=label, row=label, seed=seed, **options)
    table = main_table(read_study(tmp_path), words)
    assert words("tables.no_interval", n=2) in table.column("change")[1].text
    assert table.column("verdict")[1].text == words("tables.verdicts.no_interval")


def test_notes_tell_what_a_reader_must_know(write, tmp_path, words):
    print_ = {"architecture": {"sha256": "ab", "train": [1.0], "eval": [2.0]}}
    write(label="A", row="a", evaluation=print_)
    odd = print_ | {"uncounted_operators": {"aten::odd": 3}}
    write(label="B", row="b", changes={"model.depths": [3, 3]}, evaluation=odd)
    other = write(label="C", row="c", changes={"optimizer.lr": 0.5})
    other.write_environment(other.environment() | {"git": {"commit": "c0ffee" * 6, "dirty": False}})
    write(label="D", state="failed")
    notes = main_table(read_study(tmp_path, allow_mixed=True), words).notes
    assert words("tables.notes.identical", row="B", other="A") in notes
    assert words("tables.notes.uncounted", row="B", operators="aten::odd") in notes
    assert words("tables.notes.mixed", keys="optimizer.lr") in notes
    assert words("tables.notes.left_out", n=1) in notes
    assert words("tables.notes.several_commits", n=2) in notes


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_tables_of_a_report(synthetic, small_study, language):
    study = read_study(small_study)
    tables = synthetic.report_tables(study, language, [study])
    ids = [table.id for table in tables]
    assert len(set(ids)) == len(ids) and {"main", "hyperparameters", "ablation-1", "hardest-classes", "runs"} <= set(
        ids
    )
    assert all(table.title and all(table.columns) for table in tables)
    assert all(note.strip() for table in tables for note in table.notes)


def test_a_table_with_a_short_row_is_a_bug():
    with pytest.raises(ValueError, match="table t: each row needs 2 cells"):
        Table("t", "", ("a", "b"), ((Cell("1"),),))
