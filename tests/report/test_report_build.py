"""report.py from the command line to the files on disk."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE

from cifar100.report.build import build_report
from cifar100.report.document.words import load_words
from cifar100.report.renderers import programs as browser

CHECKOUT = Path(__file__).parents[2]


def report(*arguments, cwd):
    """Runs report.py as a user would."""
    command = [sys.executable, str(CHECKOUT / "report.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(synthetic, tmp_path_factory):
    root = tmp_path_factory.mktemp("home")
    synthetic.write_study(root / "multirun" / "main", rows=3, seeds=2, classes=10)
    synthetic.write_study(root / "multirun" / "other", rows=2, seeds=2, classes=10)
    return root


def test_from_the_command_line_to_the_files(folder):
    done = report(
        "study=multirun/main", "ablations=[multirun/other]", "language=zh", "title='标题'", "authors=['甲','乙']",
        "team=[{name: '甲', task: '消融'}]", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = folder / "multirun" / "main" / "report"
    assert [Path(line).name for line in done.stdout.split()] == ["report-zh.html", "report-zh.md", "slides-zh.pptx"]
    page = (made / "report-zh.html").read_text(encoding="utf-8")
    assert "<title>标题</title>" in page and "甲、乙" in page and "<td>消融</td>" in page and 'lang="zh-Hans"' in page
    names = {file.name for file in made.rglob("*") if file.is_file()}
    assert {"differences-zh.png", "differences-zh.svg", "main-zh.csv", "main-zh.tex", "ablation-1-zh.csv"} <= names
    assert all("-zh." in name for name in names), "nothing of an English report is touched"
    text = (made / "report-zh.md").read_text(encoding="utf-8")
    pictures = [line.rpartition("](")[2].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) > 5 and all((made / picture).is_file() for picture in pictures)
    deck = Presentation(made / "slides-zh.pptx")
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    assert 10 < len(titles) <= 20 and titles[0] == "标题" and titles[-1] == load_words("zh")("report.slide.future")
    shown = [shape for slide in deck.slides for shape in slide.shapes if shape.shape_type == MSO_SHAPE_TYPE.PICTURE]
    assert (made / "figures" / "differences-zh.png").read_bytes() in [shape.image.blob for shape in shown]


def test_the_same_records_give_the_same_files(folder):
    def files():
        made = build_report(str(folder / "multirun" / "other"), formats=["html", "md"])
        return {file.relative_to(made): file.read_bytes() for file in made.rglob("*") if file.is_file()}

    first = files()
    assert files() == first, "and its own report is no run of the study"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "study is missing; name the folder to report, such as study=multirun/main"),
        (["study=multirun/mian"], "multirun/mian: names no run directory; multirun has main"),
        (["study=multirun/main", "formats=[html,doc]"], "formats=[html,doc] must be some of html, md, docx, pdf, pptx"),
        (["study=multirun/main", "formats=[]"], "formats=[] must be some of"),
        (["study=multirun/main", "language=fr"], "language=fr is unknown; choose one of en, zh"),
        (["study=multirun/main", "team=[Ada]"], "team has 'Ada'; each member is {name: ..., task: ..."),
        (["study=multirun/main", "baseline=Desing"], "baseline='Desing' is no row's label and no run's id; try 'Des"),
        (["study=multirun/main/*"], "must be a folder, in which the report is written"),
        (["studdy=x"], "there is no option studdy; did you mean study?"),
    ],
)
def test_mistakes_are_told_in_one_line(folder, typed, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    ended = typed("report", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.strip().splitlines()) == 1


def test_a_pdf_needs_a_browser_and_says_so_before_the_work(folder, monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"formats=\[pdf\] needs Chromium or Chrome") as caught:
        build_report(str(folder / "multirun" / "main"), formats=["html", "pdf"])
    assert "\n" not in str(caught.value) and time.perf_counter() - started < 2


def test_a_browser_that_fails_is_told(tmp_path, monkeypatch):
    failing = tmp_path / "chromium"
    failing.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(browser, "find_browser", lambda: str(failing))
    with pytest.raises(ValueError, match="did not print the report .broken."):
        browser.pdf_of("<p>x</p>")


@pytest.mark.slow
def test_a_pdf_is_printed(folder):
    if not any(map(shutil.which, browser.BROWSERS)):
        pytest.skip("no Chromium or Chrome is installed")
    made = build_report(str(folder / "multirun" / "main"), formats=["pdf"])
    assert (made / "report.pdf").read_bytes().startswith(b"%PDF")


def test_report_needs_no_torch():
    code = "import sys, cifar100.report.build, cifar100.report.renderers.deck.deck; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_two_hundred_runs_take_less_than_a_minute(synthetic, tmp_path):
    study = synthetic.write_study(tmp_path / "large", rows=40, seeds=5, epochs=20, effect=0.003)
    before = time.process_time()
    build_report(str(study))
    assert time.process_time() - before < 60, "of this process's own time, however busy the machine is"
