"""Decks of studies of every size: 12 to 16 slides, nothing outside them, every text in its box."""

import importlib.util
import io
import sys
from pathlib import Path

import pytest
from pptx import Presentation

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.slides import write_slides
from cifar100.report.renderers.slides.material import Material
from cifar100.report.renderers.slides.per_class import compared_row
from cifar100.report.tables.class_results import class_results

_FOUND = importlib.util.spec_from_file_location("measured_slides", Path(__file__).with_name("measured_slides.py"))
measured_slides = importlib.util.module_from_spec(_FOUND)
sys.modules[_FOUND.name] = measured_slides  # its dataclass looks itself up there
_FOUND.loader.exec_module(measured_slides)
blocks = measured_slides.blocks
TEAM = ({"name": "Ada Lovelace", "part": "Ghost ablations"}, {"name": "王小红", "part": "统计与演示文稿"})


@pytest.fixture(scope="module")
def studies(synthetic, tmp_path_factory):
    """Studies by their number of rows, and six ablations."""
    root = tmp_path_factory.mktemp("slides")
    sizes = {1: 1, 2: 1, 8: 3, 40: 2}
    found = {
        rows: read_study(synthetic.write_study(root / f"study{rows}", rows=rows, seeds=seeds, classes=10))
        for rows, seeds in sizes.items()
    }
    ablations = [synthetic.write_study(root / f"ablation{i}", rows=1 + i % 3, seeds=2, classes=10) for i in range(6)]
    return found, [read_study(each) for each in ablations]


def opened(content: bytes):
    return Presentation(io.BytesIO(content))


def texts(deck) -> str:
    return "\n".join(block.text for block in blocks(deck))


SIZES = [(1, 0, "en"), (1, 6, "zh"), (2, 0, "zh"), (2, 1, "en"), (8, 0, "en"), (8, 1, "zh"), (8, 6, "en")]
SIZES += [(40, 0, "zh"), (40, 1, "zh"), (40, 6, "en")]


@pytest.mark.parametrize(("rows", "ablations", "language"), SIZES)
def test_any_study_fits_its_slides(studies, rows, ablations, language):
    study, more = studies[0][rows], studies[1][:ablations]
    deck = opened(write_slides(study, load_words(language), team=TEAM, title="A study", ablations=more))
    assert 12 <= len(deck.slides) <= 16
    for slide in deck.slides:
        assert slide.shapes.title is not None and slide.shapes.title.text_frame.text
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width and shape.top + shape.height <= deck.slide_height
    for block in blocks(deck):
        assert block.needed <= block.height + 0.5, block
        assert block.widest <= block.width + 0.5, block
    assert all(each.name in texts(deck) for each in more)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_slides_are_written_in_one_language_with_fonts_for_both_scripts(studies, language):
    words = load_words(language)
    content = write_slides(studies[0][8], words, team=TEAM, ablations=studies[1][:1])
    deck = opened(content)
    said = texts(deck)
    assert words("slides.limits.title") in said and words("slides.conclusion.title") in said
    other = load_words("zh" if language == "en" else "en")
    assert other("slides.limits.title") not in said and other("slides.main.note") not in said
    theme = next(part for part in deck.part.package.iter_parts() if str(part.partname).startswith("/ppt/theme/theme1"))
    assert b'<a:ea typeface="Microsoft YaHei"/>' in theme.blob and b'<a:latin typeface="Arial"/>' in theme.blob


def test_the_first_slide_names_team_parts_and_runs(studies):
    deck = opened(write_slides(studies[0][8], load_words("en"), team=TEAM, title="Small networks"))
    said = "\n".join(block.text for block in blocks(deck) if block.slide == 1)
    assert "Small networks" in said and "Ada Lovelace: Ghost ablations" in said and "24 runs" in said
    with pytest.raises(ValueError, match="give every member as"):
        write_slides(studies[0][8], load_words("en"), team=[{"part": "nothing"}])


def test_notes_name_the_run_directories(studies):
    study = studies[0][8]
    deck = opened(write_slides(study, load_words("en"), ablations=studies[1][:1]))
    notes = {slide.shapes.title.text_frame.text: slide.notes_slide.notes_text_frame.text for slide in deck.slides
             if slide.has_notes_slide}  # fmt: skip
    for title in ("Main result", "Accuracy with intervals", "Difference to the baseline", "Conclusion"):
        assert all(run.name in notes[title] for run in study.runs), title
    assert any(studies[1][0].runs[0].name in note for note in notes.values())


def test_equal_records_give_equal_bytes(studies, tmp_path):
    study, words = studies[0][2], load_words("zh")
    content = write_slides(study, words, team=TEAM, path=tmp_path / "slides.pptx")
    assert (tmp_path / "slides.pptx").read_bytes() == content
    assert write_slides(study, words, team=TEAM) == content
    assert opened(content).core_properties.author == "Ada Lovelace, 王小红"


def test_a_study_that_recorded_little_still_fills_a_deck(synthetic, tmp_path):
    run = synthetic.write_run(tmp_path / "bare", epochs=1, evaluation={"test/loss": None, "test/ece": None})
    for name in ("metrics.jsonl", "summary.json", "evaluation/per_class.csv", "evaluation/confusion.csv"):
        (run.path / name).unlink()
    deck = opened(write_slides(read_study(tmp_path / "bare"), load_words("en")))
    assert len(deck.slides) == 12
    assert "Training curves" not in texts(deck) and "Class by class" not in texts(deck)


def test_the_classes_of_a_row_that_is_the_baselines_network_are_not_set_against_it(synthetic, tmp_path):
    same = {"architecture": {"sha256": "ab" * 32, "train": [1.0], "eval": [2.0]}}
    for seed in (0, 1):
        synthetic.write_run(tmp_path, seed=seed, label="a", row="t_0_a", top1=0.5, classes=10, evaluation=same)
        twin = {"model.stage.block.attention.again": 1}
        synthetic.write_run(
            tmp_path, seed=seed, label="b", row="t_1_b", top1=0.9, classes=10, evaluation=same, changes=twin
        )
        synthetic.write_run(
            tmp_path, seed=seed, label="c", row="t_2_c", top1=0.6, classes=10, changes={"model.widths": [8, 8, 8]}
        )
    study = read_study(tmp_path)
    assert study.rows[1].identical_to == "a"
    assert compared_row(Material(None, study, (), load_words("en"), (), ""), class_results(study)).label == "c"
