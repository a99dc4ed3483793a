"""The report's chapters and sentences in their order, whatever it is rendered as."""

import pytest

from cifar100.report.document import document as tree
from cifar100.report.document.chapters import report_document
from cifar100.report.document.report import Report
from cifar100.report.document.words import load_words
from cifar100.report.figures.style import drawing
from cifar100.report.records.study import read_study
from cifar100.report.tables.table import Table

# The chapters in their order: ids and Chinese titles, which the study's outline asks for.
CHAPTERS = {
    "abstract": "摘要", "introduction": "引言", "background": "背景与相关工作", "baseline": "基线模型",
    "methods": "改进方法", "setup": "实验设置", "results": "结果与分析", "innovation": "创新",
    "conclusion": "结论与未来工作", "contributions": "成员贡献", "references": "参考文献", "appendix": "附录",
}  # fmt: skip
TABLES = [
    "recipes", "main", "ablation-1", "future", "team", "hyperparameters", "composition", "confused", "hardest-classes",
    "class-counts", "runs", "runs-1",
]  # fmt: skip
ECA = {"model.stage.block.attention": {"_target_": "cifar100.models.attention.eca.EfficientChannelAttention"}}


class Sketched(Report):
    """Figures are made but not saved, which takes most of the time."""

    def figure(self, id, caption, draw):
        with drawing():
            return None if draw() is None else tree.FigureBlock(id, caption, b"", b"")


def report_of(study, *ablations, language="en", kind=Sketched, **options):
    words = load_words(language)
    return kind(main=study, ablations=ablations, words=words, **options)


def flat(document) -> str:
    """All words of paragraphs, notices and lists."""
    found = []
    for block in document.blocks():
        is_text = isinstance(block, tree.Paragraph | tree.Notice)
        texts = block.items if isinstance(block, tree.Bullets) else [block.text] if is_text else []
        found += ["".join(getattr(part, "text", str(part)) for part in text) for text in texts]
    return "\n".join(found)


@pytest.fixture(scope="module")
def document(small_study):
    study = read_study(small_study)
    return report_document(report_of(study, study, team=(("Ada", "Ghost", ""),), kind=Report))


def test_the_chapters_are_the_studys(document, small_study):
    assert [section.id for section in document.sections] == [*CHAPTERS]
    chinese = report_document(report_of(read_study(small_study), language="zh"))
    numbers, sections = zip(*chinese.chapters(), strict=True)
    assert [section.title for section in sections] == [*CHAPTERS.values()]
    assert list(numbers) == ["", *map(str, range(1, len(CHAPTERS)))]
    assert sections[[*CHAPTERS].index("contributions")].id == "team", "without members it says how to name them"


def test_every_chapter_has_what_it_promises(document):
    assert [block.table.id for block in document.tables()] == TABLES
    figures = [figure.id for figure in document.figures()]
    assert figures == [
        "drawing-resnet", "curves-baseline", "differences", "tradeoff-parameters", "tradeoff-macs", "tradeoff-latency",
        "ablation-1-differences", "curves-loss", "curves-top1", "confusion", "classes", "superclasses",
    ]  # fmt: skip
    assert all(figure.png.startswith(b"\x89PNG") and b"<svg" in figure.svg for figure in document.figures())
    codes = [block.text for block in document.blocks() if isinstance(block, tree.CodeBlock)]
    assert codes[0].startswith("class BasicBlock(") and "def forward(self, x: Tensor)" in codes[0]


def test_every_part_of_the_deck_has_its_slides(document):
    parts = [slide.part for slide in document.slides()]
    assert {*parts} >= set(tree.PARTS) - {"designs", "innovation"}, (
        "the study of the test has no design but the baseline's"
    )
    assert parts == sorted(parts, key=tree.PARTS.index)


def test_mentions_lead_to_figures_tables_and_works(document):
    labels, cited = document.labels(load_words("en")), document.citations()
    parts = [part for block in document.blocks() for part in getattr(block, "text", ())]
    assert {part.id for part in parts if isinstance(part, tree.Ref)} <= set(labels)
    assert cited["krizhevsky2009cifar"] == 1, "numbered as they are met"
    assert any(isinstance(block, tree.Bibliography) for block in document.blocks())


def test_no_paragraph_and_no_table_is_told_twice(small_study):
    document = report_document(report_of(read_study(small_study)))
    lines = [line for line in flat(document).split("\n") if len(line) > 60]
    assert len(set(lines)) == len(lines)
    rows = [block.table.rows for block in document.tables() if not block.table.id.startswith(("runs", "ablation"))]
    assert len(set(rows)) == len(rows)


def test_the_table_of_stages_is_the_networks_own(synthetic, tmp_path):
    stages = [
        {"name": "stem", "output": [16, 32, 32], "parameters": 464, "macs": 442368},
        {"name": "stages.0", "output": [16, 32, 32], "parameters": 14016, "macs": 14155776},
        {"name": "stages.1", "output": [32, 16, 16], "parameters": 51648, "macs": 13107200},
        {"name": "stages.2", "output": [64, 8, 8], "parameters": 205696, "macs": 13107200},
        {"name": "head", "output": [100], "parameters": 6500, "macs": 6400},
    ]
    synthetic.write_run(tmp_path / "a", classes=10, evaluation={"stages": stages})
    report = report_document(report_of(read_study(tmp_path / "a")))
    (table,) = [block.table for block in report.tables() if block.table.id == "stages"]
    shown = [[cell.text for cell in row] for row in table.rows]
    assert shown[2:4] == [
        ["Stage 2", "3", "32", "2", "16 x 16", "51,648", "13.11"],
        ["Stage 3", "3", "64", "2", "8 x 8", "205,696", "13.11"],
    ]
    assert shown[-1][-2:] == ["278,324", "41.22"] and "network" in [figure.id for figure in report.figures()]
    for odd in (
        [],
        [3],
        stages[:2],
        [*stages[:4], {"name": "head"}],
        [stages[0] | {"output": [16, 0, 0]}, *stages[1:]],
    ):
        synthetic.write_run(tmp_path / "b", classes=10, evaluation={"stages": odd}, name="run")
        report = report_document(report_of(read_study(tmp_path / "b")))
        assert "stages" not in [block.table.id for block in report.tables()] and "278,324 parameters" in flat(report)


def test_designs_are_explained_drawn_and_set_against_their_parts(write, tmp_path):
    eca = {"_target_": "cifar100.models.attention.eca.EfficientChannelAttention", "kernel_size": None}
    ghost = {"_target_": "cifar100.models.mixer.ghost.GhostMixer", "ratio": 2}
    both = {"_target_": "cifar100.models.mixer.ghost_eca.GhostEcaMixer", "position": "primary", "eca": eca}
    for label, changes in (
        ("ResNet-20", {}),
        ("ECA", {"model.stage.block.attention": eca}),
        ("Ghost", {"model.stage.block.mixer": ghost}),
        ("GhostECA", {"model.stage.block.mixer": both}),
    ):
        for seed in (0, 1):
            write(seed=seed, label=label, row=f"main_{len(changes)}", classes=10, changes=changes)
    study = read_study(tmp_path, baseline="ResNet-20")
    report = report_document(report_of(study, study))
    names = {section.id: [below.id for below in section.sections] for section in report.sections}
    assert names["methods"] == ["method-eca", "method-ghostnet"] and names["innovation"] == ["method-ghost_eca"]
    figures = [figure.id for figure in report.figures()]
    assert {"drawing-eca", "drawing-ghostnet", "drawing-ghost_eca"} <= set(figures)
    text = flat(report)
    assert (
        "GhostECA against ECA:" in text and "GhostECA against Ghost:" in text and "GhostECA against ResNet" not in text
    )
    hybrid = report_document(report_of(read_study(tmp_path, baseline="GhostECA")))
    assert [figure.id for figure in hybrid.figures()].count("drawing-ghost_eca") == 1, "as a baseline, too"
    assert {"designs", "innovation"} <= {slide.part for slide in report.slides()}


def test_small_budgets_are_said_before_the_first_result(document):
    scope, *notices, results = document.sections[0].blocks
    assert all(isinstance(block, tree.Notice) for block in notices) and "reaches" in results.text[0]
    text = flat(tree.Document("", "en", (), (tree.Section("s", "s", tuple(notices)),)))
    assert "trains for 5 epochs" in text and "rank nothing beyond this budget" in text
    assert "At most 3 runs per design" in text and isinstance(scope, tree.Paragraph)


def test_large_budgets_get_no_such_notice(synthetic, tmp_path):
    study = read_study(synthetic.write_study(tmp_path, rows=2, seeds=5, epochs=150, classes=10))
    text = flat(report_document(report_of(study)))
    assert "rank nothing" not in text and "runs per design" not in text


def test_one_run_of_the_digits_is_named_as_such(synthetic, tmp_path):
    names = {"data.name": "digits", "data.num_classes": 10, "data.resolution": 8, "data.val_size": 140}
    synthetic.write_run(tmp_path / "d", changes=names, classes=10, label="ResNet-20")
    report = report_document(report_of(read_study(tmp_path / "d")))
    text = flat(report)
    assert report.title.startswith("scikit-learn's digits classification")
    assert "It is not CIFAR-100" in text and "1,797 grey scans" in text and "140 training images" in text
    assert "60,000" not in text and "no other design to compare" in text and "nothing can be concluded" in text
    assert "The records hold no ablation" in text


def test_mixed_recipes_unused_and_dirty_runs_are_named(write, tmp_path):
    write(label="plain", classes=10)
    dirty = write(label="eca", classes=10, changes={**ECA, "optimizer.lr": 0.2})
    dirty.write_environment(dirty.environment() | {"git": {"commit": "a" * 40, "dirty": True}})
    write(seed=1, label="plain", state="failed")
    text = flat(report_document(report_of(read_study(tmp_path, allow_mixed=True))))
    assert "They differ in optimizer.lr" in text and "1 run was found and not used" in text
    assert "uncommitted changes (eca" in text
    assert "All models have one recipe" not in text and "2 different versions" not in text
    assert "Efficient channel attention (ECA)" in text and "Squeeze" not in text


@pytest.mark.parametrize("epochs", [[3], float("inf"), float("nan"), "3"])
def test_numbers_of_epochs_that_are_none_are_left_out(write, tmp_path, epochs):
    write(classes=10, changes={"trainer.num_train_epochs": epochs}, name="run")
    report = report_document(report_of(read_study(tmp_path)))
    assert "rank nothing" not in flat(report)


def test_records_without_classes_curves_or_times_are_reported_all_the_same(write, tmp_path):
    for seed in (0, 1):
        run = write(seed=seed, classes=10)
        run.write_metrics([])
        for name in ("per_class.csv", "confusion.csv"):
            (run.path / "evaluation" / name).unlink()
    report = report_document(report_of(read_study(tmp_path), language="zh"))
    assert report.language == "zh-Hans" and "没有曲线" in flat(report)
    assert {figure.id for figure in report.figures()} == {"drawing-resnet"}
    assert "classes-section" not in [below.id for below in report.sections[-1].sections]


def test_two_blocks_of_one_id_are_a_bug():
    table = tree.TableBlock(Table("t", "", ("a",), ()))
    figure = tree.FigureBlock("t", "", b"", b"")
    with pytest.raises(ValueError, match="one id"):
        tree.Document("", "en", (), (tree.Section("s", "", (table, figure)),)).labels(load_words("en"))


def test_numbers_follow_the_reading_order_into_subsections():
    def table(id):
        return tree.TableBlock(Table(id, "", ("a",), ()))

    text = tree.Paragraph(
        ("see ", tree.Ref("b"), tree.Code("x"), tree.Strong("y"), tree.Cite("two"), tree.Cite("one"), tree.Cite("two"))
    )
    inner = tree.Section("inner", "", (table("b"),))
    outer = tree.Section("outer", "", (table("a"), text), (inner,))
    document = tree.Document("", "en", (), (outer, tree.Section("last", "", (table("c"),))))
    assert document.labels(load_words("en")) == {"a": "Table 1", "b": "Table 2", "c": "Table 3"}
    assert document.citations() == {"two": 1, "one": 2}
