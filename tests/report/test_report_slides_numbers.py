"""The numbers on the slides are those of the run directories, computed here anew with numpy and scipy."""

import csv
import io
import json

import numpy
import pytest
from pptx import Presentation
from pptx.oxml.ns import qn
from scipy import stats

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.slides import write_slides

ROWS, SEEDS = 5, 3


@pytest.fixture(scope="module")
def made(synthetic, tmp_path_factory):
    folder = synthetic.write_study(tmp_path_factory.mktemp("numbers") / "study", rows=ROWS, seeds=SEEDS, classes=20)
    content = write_slides(read_study(folder), load_words("en"))
    return recomputed(folder), Presentation(io.BytesIO(content)), folder


def recomputed(folder):
    """Everything by label and seed, read without the report's code."""
    found = {}
    for path in folder.iterdir():
        evaluation = json.loads((path / "evaluation" / "metrics.json").read_text())
        config = (path / "config.yaml").read_text()
        label = config.split("label: ")[1].split("\n")[0]
        seed = int(config.split("\nseed: ")[1].split("\n")[0])
        summary = json.loads((path / "summary.json").read_text())
        found.setdefault(label, {})[seed] = evaluation | {"train_s": summary["train_s"]}
    return {label: [runs[seed] for seed in sorted(runs)] for label, runs in sorted(found.items())}


def slide(deck, title):
    return next(each for each in deck.slides if each.shapes.title.text_frame.text == title)


def table_of(slide):
    table = next(shape.table for shape in slide.shapes if shape.has_table)
    return [[cell.text_frame.text for cell in row.cells] for row in table.rows]


def charts_of(slide):
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def points(value):
    return f"{100 * value:+.2f}".replace("-", "−")


def values(rows, key):
    return numpy.array([run[key] for run in rows])


def expected_change(rows, baseline):
    differences = values(rows, "test/top1") - values(baseline, "test/top1")
    error = differences.std(ddof=1) / numpy.sqrt(SEEDS)
    half = stats.t.ppf(1 - 0.025 / (ROWS - 1), SEEDS - 1) * error
    return differences.mean(), differences.mean() - half, differences.mean() + half


def test_main_table(made):
    found, deck, _ = made
    table = table_of(slide(deck, "Main result"))
    assert [row[0] for row in table[1:]] == list(found) and len(found) == ROWS
    baseline = found["Design 0"]
    for (label, rows), cells in zip(found.items(), table[1:], strict=True):
        top1, top5 = 100 * values(rows, "test/top1"), 100 * values(rows, "test/top5")
        assert cells[1] == str(SEEDS)
        assert cells[2] == f"{top1.mean():.2f} ± {top1.std(ddof=1):.2f}"
        assert cells[3] == f"{top5.mean():.2f} ± {top5.std(ddof=1):.2f}"
        assert cells[4] == f"{rows[0]['parameters']:,}" and cells[5] == f"{rows[0]['macs'] / 1e6:,.2f}"
        seconds = round(values(rows, "train_s").mean())
        assert cells[8] == f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if label != "Design 0":
            mean, low, high = expected_change(rows, baseline)
            assert cells[6] == f"{points(mean)} [{points(low)}, {points(high)}]"
            assert cells[7] == ("not distinguishable" if low <= 0 <= high else "better" if low > 0 else "worse")


def test_accuracy_chart_and_its_error_bars(made):
    found, deck, _ = made
    (chart,) = charts_of(slide(deck, "Accuracy with intervals"))
    series = chart.plots[0].series[0]
    labels = list(chart.plots[0].categories)
    assert labels == list(found)[::-1]
    expected = [100 * values(found[label], "test/top1") for label in labels]
    assert list(series.values) == pytest.approx([each.mean() for each in expected])
    halves = [stats.t.ppf(0.975, SEEDS - 1) * each.std(ddof=1) / numpy.sqrt(SEEDS) for each in expected]
    for name in ("plus", "minus"):
        bars = series._element.find(f"{qn('c:errBars')}/{qn(f'c:{name}')}")
        assert [float(each.text) for each in bars.iter(qn("c:v"))] == pytest.approx(halves)
    order = [child.tag for child in series._element]
    assert order.index(qn("c:errBars")) < order.index(qn("c:cat")) < order.index(qn("c:val"))


def test_difference_chart(made):
    found, deck, _ = made
    (chart,) = charts_of(slide(deck, "Difference to the baseline"))
    series = chart.plots[0].series[0]
    labels = list(chart.plots[0].categories)
    expected = [expected_change(found[label], found["Design 0"]) for label in labels]
    assert list(series.values) == pytest.approx([100 * mean for mean, _, _ in expected])
    reach = max(6 * max(abs(100 * mean) for mean, _, _ in expected), 2.0)
    plus = series._element.find(f"{qn('c:errBars')}/{qn('c:plus')}")
    wanted = [min(100 * high, reach) - 100 * mean for mean, _, high in expected]
    assert [float(each.text) for each in plus.iter(qn("c:v"))] == pytest.approx(wanted)


def test_tradeoff_points(made):
    found, deck, _ = made
    for chart, key in zip(charts_of(slide(deck, "Accuracy over cost")), ("parameters", "macs"), strict=True):
        points = {series.name: series for series in chart.plots[0].series}
        for label, rows in found.items():
            x = [float(each.text) for each in points[label]._element.find(qn("c:xVal")).iter(qn("c:v"))]
            assert x == pytest.approx([rows[0][key] / 1e6])
            assert list(points[label].values) == pytest.approx([100 * values(rows, "test/top1").mean()])


def test_curves_are_means_over_seeds(made):
    found, deck, folder = made
    top1, loss = charts_of(slide(deck, "Training curves"))
    series = {each.name: list(each.values) for each in top1.plots[0].series}
    by_label = {}
    for path in folder.iterdir():
        label = (path / "config.yaml").read_text().split("label: ")[1].split("\n")[0]
        lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        by_label.setdefault(label, []).append([line["val/top1"] for line in lines])
    for label, runs in by_label.items():
        assert series[f"{label} (Held-out images)"] == pytest.approx(100 * numpy.mean(runs, axis=0))
    assert len(loss.plots[0].series) == ROWS


def test_class_table_agrees_with_the_files(made):
    found, deck, folder = made
    best = max(list(found)[1:], key=lambda label: values(found[label], "test/top1").mean())
    means = {}
    for path in folder.iterdir():
        label = (path / "config.yaml").read_text().split("label: ")[1].split("\n")[0]
        for line in csv.DictReader((path / "evaluation" / "per_class.csv").open()):
            means.setdefault((label, line["name"]), []).append(float(line["top1"]))
    page = slide(deck, "Class by class")
    rows = [row for shape in page.shapes if shape.has_table for row in list(shape.table.rows)[1:]]
    assert rows
    for row in rows:
        name, before, after, change = (cell.text_frame.text for cell in row.cells)
        theirs, ours = numpy.mean(means["Design 0", name]), numpy.mean(means[best, name])
        assert (before, after) == (f"{100 * theirs:.2f}", f"{100 * ours:.2f}")
        assert float(change.replace("−", "-")) == pytest.approx(100 * (ours - theirs), abs=0.006)


def test_intervals_end_where_accuracies_can_be(synthetic, tmp_path):
    """The t interval of two seeds that lie apart reaches below zero, where no accuracy is."""
    for seed, top1 in enumerate((0.10, 0.20)):
        synthetic.write_run(tmp_path / "study", seed=seed, top1=top1, label="Design")
    deck = Presentation(io.BytesIO(write_slides(read_study(tmp_path / "study"), load_words("en"))))
    (chart,) = charts_of(slide(deck, "Accuracy with intervals"))
    (series,) = chart.plots[0].series
    minus = series._element.find(f"{qn('c:errBars')}/{qn('c:minus')}")
    assert [float(each.text) for each in minus.iter(qn("c:v"))] == pytest.approx(list(series.values))
    assert chart.value_axis.minimum_scale == 0
