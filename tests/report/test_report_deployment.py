"""The chapter on deployment: there where a study holds such records, with their numbers; else not."""

import pytest

from cifar100.report.document.document import FigureBlock, Paragraph, Ref
from cifar100.report.document.report import Report
from cifar100.report.document.sections.deployment import deployment
from cifar100.report.document.words import LANGUAGES, load_words
from cifar100.report.records.study import read_study

LATENCY = [{"batch_size": 1, "speedup": 1.43}, {"batch_size": 64, "speedup": 1.64}]
PAIRED = {"top1": -0.0024, "low": -0.006, "high": 0.001, "p": 0.21}
QUANTIZED = {
    "float": {"test/top1": 0.5694, "bytes": 1_130_000},
    "int8": {"test/top1": 0.567, "bytes": 350_000},
    "difference": PAIRED,
    "latency": LATENCY,
    "layers": {"int8": ["a", "b"], "float": ["c"]},
}
PRUNED = {
    "before": {"test/top1": 0.5694, "macs": 41_224_448},
    "after": {"test/top1": 0.54, "macs": 20_518_932},
    "difference": PAIRED,
    "latency": LATENCY,
}
MAGNITUDE = {"_target_": "cifar100.training.pruning.MagnitudePruning", "_partial_": True, "sparsity": 0.9}


def chapter(folder, language="en"):
    return deployment(Report(main=read_study(folder), ablations=(), words=load_words(language)))


def tables(section) -> dict:
    found = {block.table.id: block.table for block in section.blocks if hasattr(block, "table")}
    for below in section.sections:
        found |= tables(below)
    return found


def test_there_is_none_without_records(small_study):
    assert chapter(small_study) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_of_int8_and_of_exports_are_those_of_the_records(language, synthetic, tmp_path):
    run = synthetic.write_run(tmp_path, label="ResNet-20")
    other = synthetic.write_run(tmp_path, label="Ghost", changes={"model.widths": [8, 16, 32]})
    run.write_json("deploy/quantization.json", QUANTIZED)
    lost = {**PAIRED, "top1": -0.02}
    other.write_json("deploy/quantization.json", QUANTIZED | {"difference": lost, "latency": "none", "layers": None})
    run.write_json("deploy/export.json", {"onnx": {"bytes": 1_130_000, "largest_difference": 2e-6}, "torch_export": 7})
    found = chapter(tmp_path, language)
    int8 = {row[0].text: [cell.text for cell in row] for row in tables(found)["int8"].rows}
    expected = ["0", "56.94", "56.70", "−0.24 [−0.60, +0.10]", "0.210", "1,130", "350", "1.43", "1.64", "1"]
    assert int8["ResNet-20"][1:] == expected
    assert int8["Ghost"][-3:] == ["—"] * 3, "what a record lacks is a dash"
    (text,) = (block for block in found.sections[0].blocks if isinstance(block, Paragraph))
    assert "Ghost (0)" in "".join(map(str, text.text)) and "ResNet-20 (0)" not in "".join(map(str, text.text))
    (exported,) = tables(found)["exported"].rows
    assert [cell.text for cell in exported] == ["ResNet-20", "0", "onnx", "1,130", "2e-06"]


def test_pruned_rows_stand_in_a_table_and_a_figure(synthetic, tmp_path):
    for seed, zeros in enumerate((0.9, 0.89)):
        synthetic.write_run(tmp_path, label="ResNet-20", row="pruning_0_resnet20", seed=seed)
        options = {"label": "90% zeros", "seed": seed, "row": "pruning_1_zeros90"}
        run = synthetic.write_run(tmp_path, changes={"pruning": MAGNITUDE, "own_recipe": ["pruning"]}, **options)
        last = run.summary()
        run.write_summary(last | {"last": last["last"] | {"sparsity": zeros}, "nonzero_parameters": 30_000})
    run.write_json("deploy/pruning.json", PRUNED)
    found = chapter(tmp_path)
    rows = {row[0].text: [cell.text for cell in row] for row in tables(found)["pruned-1"].rows}
    assert rows["90% zeros"][3:] == ["89.50", "30,000", "278,324", "41.22"]
    assert rows["ResNet-20"][3:5] == ["0.00", "278,324"]
    assert any(isinstance(block, FigureBlock) and block.png for block in found.sections[0].blocks)
    (beside,) = tables(found)["beside"].rows
    assert [cell.text for cell in beside][2:] == [
        "56.94", "54.00", "−0.24 [−0.60, +0.10]", "0.210", "41.22", "20.52", "1.43", "1.64",
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_of_taught_and_of_transferred_networks_are_pointed_at_whatever_their_folder_is_called(
    language, synthetic, tmp_path
):
    main, few = tmp_path / "taught", tmp_path / "5_a_class"
    for folder, changes in ((main, {"loss.teacher": "resnet56@c0ffee"}), (few, {"init_from": "resnet20@c0ffee"})):
        synthetic.write_run(folder, label="ResNet-20")
        synthetic.write_run(folder, label="other", changes=changes | {"own_recipe": [*changes][0].split(".")[:1]})
    studies = [read_study(folder) for folder in (main, few)]
    (section,) = deployment(Report(main=studies[0], ablations=(studies[1],), words=load_words(language))).sections
    (bullets,) = section.blocks
    assert [part.id for line in bullets.items for part in line if isinstance(part, Ref)] == ["main", "ablation-1"]
