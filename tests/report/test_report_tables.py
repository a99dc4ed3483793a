"""The numbers of the tables, computed again from the files of the run directories."""

import json
import statistics
from pathlib import Path

import pytest
from scipy import stats

from cifar100.record import find_runs
from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.tables.table import Cell, Table
from cifar100.report.tables.tables import main_table, report_tables, statistics_table

LANGUAGES = ("en", "zh")


def recorded(folder: Path) -> dict[str, dict[int, dict]]:
    """What metrics.json and summary.json hold, by label and seed, read without the report's own readers."""
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


def test_every_change_of_the_main_table(small_study, words):
    table, runs = main_table(read_study(small_study), words), recorded(small_study)
    first, *others = zip(table.column("row"), table.column("change"), table.column("verdict"), strict=True)
    assert [cell.text for cell in first] == ["Design 0", "—", words("tables.verdicts.baseline")]
    for label, change, verdict in others:
        pairs = [[runs[name][seed]["test/top1"] for seed in (0, 1, 2)] for name in (label.text, "Design 0")]
        test = stats.ttest_rel(*pairs)
        low, high = (100 * bound for bound in test.confidence_interval(1 - 0.05 / len(others)))
        mean = 100 * (statistics.mean(pairs[0]) - statistics.mean(pairs[1]))
        assert change.text.replace("−", "-") == f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
        key = "undecided" if low < 0 < high else "better" if mean > 0 else "worse"
        assert verdict.text == words(f"tables.verdicts.{key}")


def test_every_number_of_the_statistics_table(small_study, words):
    table, runs = statistics_table(read_study(small_study), words), recorded(small_study)
    baseline = [runs["Design 0"][seed]["test/top1"] for seed in (0, 1, 2)]
    for cells in table.rows[1:]:
        line = dict(zip(table.keys, cells, strict=True))
        ours = [runs[line["row"].text][seed]["test/top1"] for seed in (0, 1, 2)]
        test = stats.ttest_rel(ours, baseline)
        interval = test.confidence_interval(1 - 0.05 / 3)
        values = [line[key].value for key in ("top1_mean", "top1_std", "change_low", "change_high", "p", "p_adjusted")]
        expected = [statistics.mean(ours), statistics.stdev(ours), *interval, test.pvalue, min(1, 3 * test.pvalue)]
        assert values == pytest.approx(expected, rel=1e-9)
        assert (line["seeds"].text, line["pairs"].text) == ("0, 1, 2", "3")
        assert line["p"].text == f"{test.pvalue:.3f}"


def test_one_seed_prints_no_deviation_and_claims_nothing(synthetic, tmp_path, words):
    synthetic.write_study(tmp_path, rows=2, seeds=1, effect=0.3)
    table = main_table(read_study(tmp_path), words)
    assert not [
        cell.text for key in ("top1", "top5", "change") for cell in table.column(key) if set("±[") & set(cell.text)
    ]
    assert table.column("change")[1].value > 0.2
    assert table.column("verdict")[1].text == words("tables.verdicts.one_seed")
    assert words("tables.notes.one_seed") in table.notes


def test_rows_without_a_common_seed_are_not_compared(synthetic, tmp_path, words):
    synthetic.write_run(tmp_path, label="A", row="a")
    synthetic.write_run(tmp_path, label="B", row="b", seed=1, changes={"model.drop_path": 0.1})
    table = main_table(read_study(tmp_path), words)
    assert table.column("change")[1] == Cell("—")
    assert table.column("verdict")[1].text == words("tables.verdicts.no_common_seed")


def test_notes_tell_what_a_reader_must_know(synthetic, tmp_path, words):
    print_ = {"architecture": {"sha256": "ab", "train": [1.0], "eval": [2.0]}}
    synthetic.write_run(tmp_path, label="A", row="a", evaluation=print_)
    odd = print_ | {"uncounted_operators": {"aten::odd": 3}}
    synthetic.write_run(tmp_path, label="B", row="b", changes={"model.depths": [3, 3]}, evaluation=odd)
    other = synthetic.write_run(tmp_path, label="C", row="c", changes={"optimizer.lr": 0.5})
    other.write_environment(other.environment() | {"git": {"commit": "c0ffee" * 6, "dirty": False}})
    synthetic.write_run(tmp_path, label="D", state="failed")
    notes = main_table(read_study(tmp_path, allow_mixed=True), words).notes
    assert words("tables.notes.identical", row="B", other="A") in notes
    assert words("tables.notes.uncounted", row="B", operators="aten::odd") in notes
    assert words("tables.notes.mixed", keys="optimizer.lr") in notes
    assert words("tables.notes.left_out", n=1) in notes
    assert words("tables.notes.several_commits", n=2) in notes


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_tables_of_a_report(small_study, language):
    study = read_study(small_study)
    tables = report_tables(study, load_words(language), [study])
    ids = [table.id for table in tables]
    assert len(set(ids)) == len(ids) and {"main", "hyperparameters", "ablation-1", "hardest-classes", "runs"} <= set(
        ids
    )
    assert all(table.title and all(table.columns) for table in tables)
    assert all(note.strip() for table in tables for note in table.notes)


def test_a_table_with_a_short_row_is_a_bug():
    with pytest.raises(ValueError, match="table t: each row needs 2 cells"):
        Table("t", "", ("a", "b"), ((Cell("1"),),))
