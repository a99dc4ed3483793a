"""What the report says and in which order, whatever it is rendered as."""

import pytest

from cifar100.report.document.content import Content
from cifar100.report.document.document import (
    Bibliography,
    Bullets,
    Cite,
    Code,
    Document,
    FigureBlock,
    Notice,
    Paragraph,
    Ref,
    Section,
    Strong,
    TableBlock,
)  # fmt: skip
from cifar100.report.document.report_document import report_document
from cifar100.report.document.words import load_words
from cifar100.report.figures.style import drawing
from cifar100.report.records.study import read_study
from cifar100.report.tables.table import Table

ORDER = [
    "summary", "introduction", "data", "setup", "results", "tradeoff", "ablations", "curves", "classes", "limits",
    "conclusion", "references", "appendix",
]  # fmt: skip
ECA = {"model.stage.block.attention": {"_target_": "cifar100.models.attention.eca.EfficientChannelAttention"}}


class Sketched(Content):
    """Figures are made but not saved, which takes most of the time."""

    def figure(self, id, caption, draw):
        with drawing():
            return None if draw() is None else FigureBlock(id, caption, b"", b"")


def content_of(study, *ablations, language="en", kind=Sketched, **options):
    words = load_words(language)
    return kind(main=study, ablations=ablations, words=words, **options)


def flat(document) -> str:
    """All words of paragraphs, notices and lists."""
    found = []
    for block in document.blocks():
        texts = block.items if isinstance(block, Bullets) else [block.text] if hasattr(block, "text") else []
        found += ["".join(getattr(part, "text", str(part)) for part in text) for text in texts]
    return "\n".join(found)


@pytest.fixture(scope="module")
def document(small_study):
    study = read_study(small_study)
    return report_document(content_of(study, study, team=(("Ada", "Ghost"),), kind=Content))


def test_the_sections_stand_in_the_order_of_a_report(document):
    assert [section.id for section in document.sections] == ORDER
    assert all(section.title for section in document.sections)


def test_every_section_has_what_it_promises(document):
    tables = [block.table.id for block in document.tables()]
    assert tables[:3] == ["hyperparameters", "composition", "main"]
    assert {"ablation-1", "statistics", "hardest-classes", "runs", "runs-1"} <= set(tables)
    figures = [figure.id for figure in document.figures()]
    assert figures == [
        "differences", "tradeoff-parameters", "tradeoff-macs", "tradeoff-latency", "ablation-1-differences",
        "curves-loss", "curves-top1", "confusion-baseline", "confusion-highest", "classes", "superclasses",
    ]  # fmt: skip
    assert all(figure.png.startswith(b"\x89PNG") and b"<svg" in figure.svg for figure in document.figures())


def test_mentions_lead_to_figures_tables_and_works(document):
    numbers, cited = document.numbers(), document.citations()
    parts = [part for block in document.blocks() for part in getattr(block, "text", ())]
    assert {part.id for part in parts if isinstance(part, Ref)} <= set(numbers)
    assert cited["krizhevsky2009cifar"] == 1, "numbered as they are met"
    assert any(isinstance(block, Bibliography) for block in document.blocks())
    assert "Ada: Ghost" in flat(document)


def test_small_budgets_are_said_before_the_first_number(document):
    first = document.sections[0].blocks
    notices = [block for block in first if isinstance(block, Notice)]
    assert notices == list(first[: len(notices)])
    text = flat(Document("", "en", (), (Section("s", "s", tuple(notices)),)))
    assert "5 epochs per run" in text and "rank nothing beyond this budget" in text and "at most 3 runs per row" in text


def test_large_budgets_get_no_such_notice(synthetic, tmp_path):
    study = read_study(synthetic.write_study(tmp_path, rows=2, seeds=5, epochs=150, classes=10))
    text = flat(report_document(content_of(study)))
    assert "Small budget" not in text and "Few seeds" not in text


def test_one_run_of_the_digits_is_named_as_such(synthetic, tmp_path):
    names = {"data.name": "digits", "data.num_classes": 10, "data.resolution": 8, "data.val_size": 140}
    synthetic.write_run(tmp_path / "d", changes=names, classes=10, label="ResNet-20")
    report = report_document(content_of(read_study(tmp_path / "d")))
    text = flat(report)
    assert report.title == "Comparison of network designs on scikit-learn's digits"
    assert "It is not CIFAR-100" in text and "1,797 grey scans" in text and "140 training images" in text
    assert "60,000" not in text and "no other row to compare" in text and "nothing to conclude" in text
    assert "ablations" not in [section.id for section in report.sections]


def test_mixed_recipes_unused_and_dirty_runs_are_named(synthetic, tmp_path):
    synthetic.write_run(tmp_path, label="plain", classes=10)
    dirty = synthetic.write_run(tmp_path, label="eca", classes=10, changes={**ECA, "optimizer.lr": 0.2})
    dirty.write_environment(dirty.environment() | {"git": {"commit": "a" * 40, "dirty": True}})
    synthetic.write_run(tmp_path, seed=1, label="plain", state="failed")
    text = flat(report_document(content_of(read_study(tmp_path, allow_mixed=True))))
    assert "They differ in optimizer.lr" in text and "1 run was found and not used" in text
    assert "uncommitted changes (eca" in text
    assert "networks and recipes cannot be told apart" in text and "share one recipe" not in text
    assert "Rows of a table share" not in text and "2 different versions" not in text
    assert "Efficient channel attention (ECA)" in text and "Squeeze" not in text


@pytest.mark.parametrize("epochs", [[3], float("inf"), float("nan"), "3"])
def test_numbers_of_epochs_that_are_none_are_left_out(synthetic, tmp_path, epochs):
    synthetic.write_run(tmp_path, classes=10, changes={"trainer.num_train_epochs": epochs}, name="run")
    report = report_document(content_of(read_study(tmp_path)))
    assert "Small budget" not in flat(report)


def test_records_without_classes_curves_or_times_are_reported_all_the_same(synthetic, tmp_path):
    for seed in (0, 1):
        run = synthetic.write_run(tmp_path, seed=seed, classes=10)
        run.write_metrics([])
        for name in ("per_class.csv", "confusion.csv"):
            (run.path / "evaluation" / name).unlink()
    report = report_document(content_of(read_study(tmp_path), language="zh"))
    assert report.language == "zh-Hans" and "没有曲线" in flat(report) and "没有运行记录混淆矩阵" in flat(report)
    assert {figure.id for figure in report.figures()} == {"tradeoff-parameters", "tradeoff-macs"}


def test_two_blocks_of_one_id_are_a_bug():
    table = TableBlock(Table("t", "", ("a",), ()))
    figure = FigureBlock("t", "", b"", b"")
    with pytest.raises(ValueError, match="one id"):
        Document("", "en", (), (Section("s", "", (table, figure)),)).numbers()


def test_numbers_follow_the_reading_order_into_subsections():
    def table(id):
        return TableBlock(Table(id, "", ("a",), ()))

    text = Paragraph(("see ", Ref("b"), Code("x"), Strong("y"), Cite("two"), Cite("one"), Cite("two")))
    inner = Section("inner", "", (table("b"),))
    outer = Section("outer", "", (table("a"), text), (inner,))
    document = Document("", "en", (), (outer, Section("last", "", (table("c"),))))
    assert document.numbers() == {"a": 1, "b": 2, "c": 3} and document.citations() == {"two": 1, "one": 2}
