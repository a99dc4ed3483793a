"""Figures show what the numbers say, can be read, and leave nothing of themselves behind."""

import io
import itertools
import sys
from pathlib import Path

import matplotlib
import numpy
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from cifar100.report.claims.comparison import compare
from cifar100.report.document.words import load_words
from cifar100.report.figures import style
from cifar100.report.figures.confusion import confusion_figure
from cifar100.report.figures.differences import classes_figure, forest_figure
from cifar100.report.figures.tradeoff import pareto, tradeoff_figure
from cifar100.report.figures.training import designs_figure, last_epoch, training_figure
from cifar100.report.records.study import read_study

WORDS = load_words("en")


@pytest.fixture(scope="module")
def study(synthetic, tmp_path_factory):
    return read_study(
        synthetic.write_study(tmp_path_factory.mktemp("many"), rows=12, seeds=2, effect=0.004, classes=10)
    )


@pytest.fixture
def drawn():
    with style.drawing():
        yield


def labels_of(axes):
    return [text for text in axes.texts if text.get_text()]


def test_drawing_leaves_matplotlib_as_it_was(study):
    before = dict(matplotlib.rcParams)
    with style.drawing():
        first = style.svg(forest_figure(study, WORDS))
        second = style.svg(forest_figure(study, WORDS))
    assert dict(matplotlib.rcParams) == before
    assert first == second, "equal figures are equal files"
    assert b"<text" not in first and b'href="http' not in first
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_labels_of_points_lie_apart_and_inside(study, drawn):
    figure = tradeoff_figure(study.rows, "parameters", WORDS)
    (axes,) = figure.axes
    renderer = figure.canvas.get_renderer()
    boxes = [matplotlib.text.Text.get_window_extent(text, renderer) for text in labels_of(axes)]
    assert len(boxes) == len(study.rows) + 1, "a label each, and the front's"
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    frame = axes.get_window_extent(renderer)
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)


def test_the_front_has_the_rows_that_none_beats(study):
    top1 = {row.label: numpy.mean(row.values("top1")) for row in study.rows}
    for cost in ("parameters", "macs", "latency_s"):
        price = {row.label: getattr(row, cost) for row in study.rows}
        unbeaten = {
            row
            for row in top1
            if not any(
                price[other] <= price[row] and top1[other] >= top1[row]
                and (price[other] < price[row] or top1[other] > top1[row])
                for other in top1
            )
        }  # fmt: skip
        front = pareto(study.rows, cost)
        assert {row.label for row in front} == unbeaten
        assert [price[row.label] for row in front] == sorted(price[row.label] for row in front)


def test_every_interval_is_drawn_whole_on_an_axis_no_longer_than_they_need(study, drawn):
    axes = forest_figure(study, WORDS).axes[0]
    found = [each for each in compare(study).values() if each is not None and each.has_interval]
    ends = [100 * end for each in found for end in (each.low, each.high)]
    low, high = axes.get_xlim()
    assert low <= min(0, *ends) and max(0, *ends) <= high
    assert high - low < 1.15 * (max(0, *ends) - min(0, *ends))
    drawn_ends = [value for line in axes.lines if line.get_marker() == "|" for value in line.get_xdata()]
    assert sorted(drawn_ends) == pytest.approx(sorted(ends))


def test_verdicts_and_designs_are_named_where_they_stand(study, drawn):
    figure = forest_figure(study, WORDS)
    (right,) = figure.axes[0].child_axes
    texts = [label.get_text() for label in right.get_yticklabels()]
    shown = [each for each in compare(study).values() if each is not None and each.has_interval]
    assert shown and len(texts) == len(shown) and all("distinguishable" in text for text in texts)
    front = tradeoff_figure(study.rows, "parameters", WORDS)
    assert WORDS("figures.front") in [text.get_text() for text in labels_of(front.axes[0])]
    assert not figure.legends and not front.legends


def test_no_whisker_leaves_the_axes(study, drawn):
    axes = tradeoff_figure(study.rows, "macs", WORDS).axes[0]
    low, high = axes.get_ylim()
    whiskers = numpy.concatenate([path.vertices[:, 1] for each in axes.collections for path in each.get_paths()])
    assert low < whiskers.min() and whiskers.max() < high and high - low < 2 * (whiskers.max() - whiskers.min())


def test_without_pairs_there_is_no_forest(write, tmp_path, drawn):
    for row in range(2):
        write(label=f"row {row}", classes=5, changes={"model.stem_width": row})
    assert forest_figure(read_study(tmp_path), WORDS) is None


def test_training_is_drawn_as_means_within_bands(study, drawn):
    row = study.rows[1]
    loss, top1 = training_figure(row, WORDS).axes
    recorded = numpy.array([[line["val/top1"] for line in run.epochs] for run in row.runs])
    train, val = top1.lines
    assert val.get_ydata() == pytest.approx(100 * recorded.mean(axis=0))
    band = top1.collections[1].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(100 * recorded.min()) and band.max() == pytest.approx(100 * recorded.max())
    assert (train.get_label(), val.get_label()) == ("Training images", "Held-out images")
    assert loss.get_ylabel() == "Cross-entropy loss"
    assert last_epoch(row, "val/top1") == pytest.approx(recorded[:, -1].mean()) and last_epoch(row, "none") is None


def test_every_design_has_a_panel_with_the_baseline_behind(study, drawn):
    panels = [axes for axes in designs_figure(study.rows, "top1", WORDS).axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == [row.label for row in study.rows]
    recorded = numpy.mean([[line["val/top1"] for line in run.epochs] for run in study.rows[2].runs], axis=0)
    assert panels[2].lines[3].get_ydata() == pytest.approx(100 * recorded)
    assert panels[2].lines[2].get_ydata() == pytest.approx(panels[0].lines[1].get_ydata()), "the baseline's, in grey"
    assert [len(axes.lines) for axes in panels[:2]] == [2, 4]


def test_confusion_is_printed_into_its_cells(drawn):
    matrix = numpy.array([[0.9, 0.1, 0.0], [0.004, 0.5, 0.2], [0.0, 0.0, 1.0]])
    figure = confusion_figure(["a_b", "c", "d"], {"One": matrix, "Two": matrix}, WORDS)
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == ["90", "10", "50", "20", "100"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["a b", "c", "d"]
    assert second.get_title() == "Two" and (first.images[0].get_array() == matrix).all()


def test_classes_show_both_ends(drawn):
    values = {f"c{index}": [index / 100 - 0.5, index / 100 - 0.5] for index in range(100)}
    axes = classes_figure(values, WORDS).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown[0] == "c99" and shown[-1] == "c0" and len(shown) == 24
    assert axes.patches[0].get_width() == pytest.approx(49)


@pytest.mark.parametrize("label", ["$\\frac{1}{0}$ <b>", "\u202eabc", "x" * 300, "残差网络"])
def test_labels_from_records_do_no_harm(write, tmp_path, drawn, label):
    for row in range(2):
        for seed in range(2):
            write(seed=seed, label=f"{label}{row}", classes=5, changes={"model.stem_width": row})
    study = read_study(tmp_path)
    for figure in (forest_figure(study, WORDS), designs_figure(study.rows, "loss", WORDS)):
        image = Image.open(io.BytesIO(style.png(figure)))
        assert image.width == pytest.approx(style.WIDTH * style.PNG_DPI, abs=1) and image.height < 2000


def test_every_character_of_the_package_is_in_a_font_that_travels_with_it():
    from matplotlib import get_data_path

    fonts = [style.CHINESE_FONT, Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"]
    known = {code for font in fonts for code in TTFont(font).getBestCmap()}
    package = Path(style.__file__).parents[2]
    texts = "".join(file.read_text(encoding="utf-8") for file in package.rglob("*.yaml"))
    missing = {character for character in texts if not character.isspace() and ord(character) not in known}
    assert not missing, f"run docs/chinese_font.py: the font lacks {''.join(sorted(missing))}"
    assert (style.CHINESE_FONT.parent / "OFL.txt").read_text().count("SIL OPEN FONT LICENSE Version 1.1") == 1


def test_chinese_is_drawn_without_any_installed_font(drawn):
    figure = style.new_figure(1)
    with matplotlib.rc_context({"font.family": ["DejaVu Sans", "Report Sans SC"]}):
        figure.text(0.1, 0.5, "消融")
        drawn_text = style.png(figure)
        empty = style.new_figure(1)
        empty.text(0.1, 0.5, "\U0010fff0\U0010fff1")
        assert drawn_text != style.png(empty)


def test_widths_count_chinese_twice():
    assert style.width("ab消融") == 6
    assert style.short("消" * 30, 20) == "消" * 9 + "…" and style.short("abc", 3) == "abc"
