"""The tables by class, computed again from per_class.csv and confusion.csv."""

import csv
import statistics

import pytest

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.tables.class_results import class_results
from cifar100.report.tables.class_tables import per_class_tables

WORDS = load_words("en")


def tables(folder) -> dict:
    return {table.id: table for table in per_class_tables(read_study(folder), WORDS)}


def right(run) -> dict[str, int]:
    """Images of each class that the confusion matrix has on its diagonal."""
    with (run.path / "evaluation" / "confusion.csv").open(newline="") as file:
        return {row["true class"]: int(row[row["true class"]]) for row in csv.DictReader(file)}


def test_hardest_classes(small_study):
    study = read_study(small_study)
    table = tables(small_study)["hardest-classes"]
    counts = [[right(run) for run in row.runs] for row in study.rows]
    mean = [{name: statistics.mean(each[name] for each in runs) for name in runs[0]} for runs in counts]
    assert [cell.text for cell in table.column("class")] == sorted(mean[0], key=lambda name: mean[0][name])[:10]
    for cells in table.rows:
        assert [cell.text for cell in cells[3:]] == [f"{each[cells[0].text]:.2f}" for each in mean]
    assert table.columns[3:] == ("Design 0", "Design 1", "Design 2", "Design 3")


def test_gains_and_losses_are_counted(small_study):
    study = read_study(small_study)
    found = tables(small_study)
    before = [right(run) for run in study.baseline.runs]
    for row in study.rows[1:]:
        after = [right(run) for run in row.runs]
        change = {name: sum(each[name] for each in after) - sum(each[name] for each in before) for name in after[0]}
        (counted,) = [cells for cells in found["class-counts"].rows if cells[0].text == row.label]
        signs = [sum(sign) for sign in zip(*((v > 0, v < 0, v == 0) for v in change.values()), strict=True)]
        assert [int(cell.text) for cell in counted[1:4]] == signs


def test_a_change_of_one_class_is_found_among_many(write, tmp_path):
    """Five seeds with a steady gain of about 40 points on one class, none on the others."""
    for label, gain in (("A", 0), ("B", 40)):
        for seed in range(5):
            changes = {"model.drop_path": gain / 100}
            run = write(label=label, row=label, seed=seed, changes=changes, classes=10, epochs=1)
            rows = [
                [c, f"class_{c}", "", 100, (30 + (seed * (c + 2)) % 7 + (gain if c == 3 else 0)) / 100, 0.9, 0.5]
                for c in range(10)
            ]
            rows[3][4] += seed * (label == "B") / 100
            run.write_csv("per_class.csv", ["class", "name", "superclass", "n", "top1", "top5", "precision"], rows)
    study = read_study(tmp_path)
    changes = class_results(study).changes(study, study.rows[1])
    assert [change.name for change in changes if change.distinguishable] == ["class_3"]
    assert changes[3].difference == pytest.approx(0.42)
    assert "superclass" not in tables(tmp_path)["hardest-classes"].keys, "a column without a text is left out"


def test_one_seed_counts_but_claims_nothing(synthetic, tmp_path):
    synthetic.write_study(tmp_path, rows=2, seeds=1, classes=10)
    assert [cells[4].text for cells in tables(tmp_path)["class-counts"].rows] == ["—"]


def test_runs_without_or_with_other_classes(synthetic, tmp_path):
    synthetic.write_study(tmp_path, rows=3, seeds=1, classes=10)
    first, second, third = (row.runs[0].path / "evaluation" / "per_class.csv" for row in read_study(tmp_path).rows)
    second.unlink()
    third.write_text(third.read_text().replace("class_4,", "klass_4,"))
    assert list(tables(tmp_path)) == ["hardest-classes"]
    first.unlink()
    assert tables(tmp_path) == {}


def test_a_class_without_images_is_passed_over(synthetic, tmp_path):
    synthetic.write_study(tmp_path, rows=2, seeds=2, classes=6)
    for row in read_study(tmp_path).rows:
        for run in row.runs:
            file = run.path / "evaluation" / "per_class.csv"
            head, first, *rest = file.read_text().splitlines()
            file.write_text("\n".join([head, "0,class_0,group_0,0,,,", *rest]) + "\n")
    found = tables(tmp_path)
    assert len(found["hardest-classes"].rows) == 5
    assert sum(int(cell.text) for cell in found["class-counts"].rows[0][1:4]) == 5
