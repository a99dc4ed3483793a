"""Every number of the main table and the ablations, in HTML and Markdown, recomputed here from the run directories."""

import json
import re
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

import numpy
import pytest
import yaml
from scipy import stats

from cifar100.report.build import build_report

MINUS = "\N{MINUS SIGN}"


class Tables(HTMLParser):
    """The tables of a page: a list of rows of texts by the id around each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._id, self._cell, self._skip = "", None, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "div" and (attributes.get("class") or "").startswith("table"):
            self._id = attributes["id"]
            self.found[self._id] = []
        elif tag == "tr":
            self.found[self._id].append([])
        elif tag in ("td", "th"):
            self._cell = ""
        elif tag == "span" and attributes.get("class") == "note":
            self._skip = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.found[self._id][-1].append(self._cell)
            self._cell = None
        elif tag == "span":
            self._skip = False

    def handle_data(self, data):
        if self._cell is not None and not self._skip:
            self._cell += data


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown file, headings first, without the escapes."""
    tables = []
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        lines = [line.strip("|").split(" | ") for line in block.strip().splitlines()]
        plain = [[re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell.strip()) for cell in line] for line in lines]
        tables.append([plain[0], *plain[2:]])
    return tables


def expected(folder: Path) -> dict[str, list[str]]:
    """By label: seeds, top-1, top-5, parameters, multiply-adds, change, training time, as they must be printed."""
    runs = defaultdict(dict)
    for config in folder.glob("*/config.yaml"):
        recorded = yaml.safe_load(config.read_text())
        measured = json.loads((config.parent / "evaluation" / "metrics.json").read_text())
        seconds = json.loads((config.parent / "summary.json").read_text())["train_s"]
        runs[recorded["label"]][recorded["seed"]] = measured | {"train_s": seconds}
    lines = {}
    for label, seeds in runs.items():
        top1, top5, train_s = (
            numpy.array([each[key] for each in seeds.values()]) for key in ("test/top1", "test/top5", "train_s")
        )
        first = next(iter(seeds.values()))
        minutes, second = divmod(round(train_s.mean()), 60)
        lines[label] = [
            str(len(seeds)),
            f"{100 * top1.mean():.2f} ± {100 * top1.std(ddof=1):.2f}",
            f"{100 * top5.mean():.2f} ± {100 * top5.std(ddof=1):.2f}",
            f"{first['parameters']:,}",
            f"{first['macs'] / 1e6:.2f}",
            "—" if label == "Design 0" else change(seeds, runs),
            f"{minutes // 60}:{minutes % 60:02}:{second:02}",
        ]
    return lines


def change(seeds: dict, runs: dict) -> str:
    """By Dunnett's test of all designs against the first."""
    samples = {name: [run["test/top1"] for run in row.values()] for name, row in sorted(runs.items())}
    first, *others = samples.values()
    test = stats.dunnett(*others, control=first, rng=numpy.random.default_rng(0)).confidence_interval()
    place = list(samples).index(next(name for name, row in runs.items() if row is seeds)) - 1
    middle = numpy.mean(others[place]) - numpy.mean(first)
    mean, low, high = (f"{100 * value:+.2f}" for value in (middle, test.low[place], test.high[place]))
    return f"{mean} [{low}, {high}]".replace("-", MINUS)


@pytest.fixture(scope="module")
def built(synthetic, tmp_path_factory):
    root = tmp_path_factory.mktemp("multirun")
    main = synthetic.write_study(root / "main", rows=4, seeds=4)
    other = synthetic.write_study(root / "other", rows=3, seeds=3, effect=-0.02)
    folder = build_report(str(main), ablations=[str(other)], formats=["html", "md"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    text = (folder / "report.md").read_text(encoding="utf-8")
    return main, other, Tables(page).found, markdown_tables(text)


def test_the_main_table_in_both_formats(built):
    main, _, html, markdown = built
    numbers = expected(main)
    headings = html["main"][0]
    (twin,) = [table for table in markdown if table[0] == headings]
    assert twin == html["main"], "one text in both formats"
    assert [row[0] for row in html["main"][1:]] == ["Design 0", "Design 1", "Design 2", "Design 3"]
    verdict = len(headings) - 2
    for label, *cells in html["main"][1:]:
        assert [cell for place, cell in enumerate(cells, 1) if place != verdict] == numbers[label]


def test_an_ablation_in_both_formats(built):
    _, other, html, markdown = built
    numbers = expected(other)
    table = html["ablation-1"]
    assert table in markdown
    for label, seeds, top1, changed, verdict, parameters, macs in table[1:]:
        assert [seeds, top1, parameters, macs, changed] == [numbers[label][place] for place in (0, 1, 3, 4, 5)]
        assert verdict == verdict_of(changed)


def verdict_of(changed: str) -> str:
    """The verdict that a printed change such as `+1.20 [+0.40, +2.00]` allows."""
    ends = re.findall(r"[+−][\d.]+(?=[,\]])", changed)
    low, high = (float(end.replace(MINUS, "-")) for end in ends) if ends else (0, 0)
    return "baseline" if not ends else "better" if low > 0 else "worse" if high < 0 else "not distinguishable"


def test_the_files_of_the_tables_have_the_same_texts(built):
    import csv

    main, _, html, _ = built
    with (main / "report" / "tables" / "main.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    width = len(html["main"][0])
    assert [[cell.removeprefix("'") for cell in row[:width]] for row in rows] == html["main"]
    top1 = [float(row[rows[0].index("top1", width)]) for row in rows[1:]]
    means = defaultdict(list)
    for config in main.glob("*/config.yaml"):
        label = yaml.safe_load(config.read_text())["label"]
        means[label].append(json.loads((config.parent / "evaluation" / "metrics.json").read_text())["test/top1"])
    assert top1 == pytest.approx([numpy.mean(means[f"Design {index}"]) for index in range(4)], abs=1e-12)


def test_the_summary_and_the_sentences_quote_the_table(built):
    main, _, html, _ = built
    text = (main / "report" / "report.html").read_text(encoding="utf-8")
    assert f"reaches {html['main'][1][2].split()[0]}% top-1" in text
    for row in html["main"][2:]:
        assert f"<li>{row[0]}: {row[6]} points of top-1, {row[7]}; " in text, "the conclusion, design by design"


def test_the_baseline_and_the_costs_are_the_records(built):
    main, _, html, _ = built
    text = (main / "report" / "report.html").read_text(encoding="utf-8")
    runs = [
        folder for folder in main.glob("*/config.yaml") if yaml.safe_load(folder.read_text())["label"] == "Design 0"
    ]
    last = [json.loads((run.parent / "metrics.jsonl").read_text().splitlines()[-1]) for run in runs]
    train, val = (100 * numpy.mean([each[f"{split}/top1"] for each in last]) for split in ("train", "val"))
    assert f"{train:.2f}% on training images and {val:.2f}% on held-out ones" in text
    first = html["main"][1]
    assert f"{first[2].split()[0]}% top-1" in text and f"with {first[4]} parameters and {first[5]} million" in text
    for row in html["main"][2:]:
        parameters = int(row[4].replace(",", "")) / int(first[4].replace(",", ""))
        shown = f"{parameters:.2f}" if abs(parameters - 1) >= 0.005 else f"{parameters:.3f}"
        (answer,) = re.findall(rf"<li>{row[0]}: (.*?)</li>", text)
        assert f"; {shown} times the parameters, " in answer
