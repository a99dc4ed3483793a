"""The names of rows: their runs' label, or what sets their resolved network apart."""

import pytest

from cifar100.base.conf import default_choices
from cifar100.report.records.study import read_study

ATTENTION = "model.stage.block.attention"
MIXER = "model.stage.block.mixer"


def labels(folder, **options) -> list[str]:
    return [row.label for row in read_study(folder, **options).rows]


def write_attentions(synthetic, folder, *attentions):
    synthetic.write_run(folder)
    for each in attentions:
        name = each["_target_"].split(".")[-2]
        synthetic.write_run(folder, changes={ATTENTION: each}, choices={"attention": name})


def test_another_primitive_is_named(synthetic, tmp_path):
    write_attentions(
        synthetic, tmp_path, synthetic.attention("eca", kernel_size=None), synthetic.attention("se", ratio=4)
    )
    assert labels(tmp_path) == ["resnet20", "attention eca", "attention se"]


def test_options_are_named_where_they_tell_rows_apart(synthetic, tmp_path):
    sizes = [synthetic.attention("eca", kernel_size=size, gamma=2) for size in (11, 3, None)]
    write_attentions(synthetic, tmp_path, *sizes)
    expected = ["attention eca, kernel_size 3", "attention eca, kernel_size 11", "attention eca, kernel_size null"]
    assert labels(tmp_path) == ["resnet20", *expected]


def test_options_of_what_the_baseline_has_too(write, tmp_path):
    write()
    write(changes={f"{MIXER}.kernel_size": 5})
    write(changes={"model.depths": [5, 5, 5]}, choices={"model": "resnet32"})
    write(changes={"model.drop_path": 0.1})
    assert labels(tmp_path) == ["resnet20", "drop_path 0.1", "mixer kernel_size 5", "resnet32"]


def test_a_baseline_that_is_not_the_default_says_so(write, synthetic, tmp_path):
    for size in (3, 5):
        changes = {ATTENTION: synthetic.attention("eca", kernel_size=size)}
        write(changes=changes, choices={"attention": "eca"})
    assert labels(tmp_path) == ["resnet20, attention eca, kernel_size 3", "attention kernel_size 5"]


def test_a_primitive_goes_by_the_name_of_its_choice(write, tmp_path):
    write()
    norm = {"_target_": "cifar100.models.norm.layer_norm.LayerNorm2d", "_partial_": True, "eps": 1e-6}
    changes = {"model.stem.norm": norm, "model.stage.block.norm": norm}
    write(changes=changes, choices={"norm": "ln"})
    assert labels(tmp_path) == ["resnet20", "norm ln"]


def test_labels_of_the_runs_come_first_and_are_told_apart(write, synthetic, tmp_path):
    write(label="ResNet-20")
    for size in (3, 5):
        changes = {ATTENTION: synthetic.attention("eca", kernel_size=size)}
        write(label="ECA", changes=changes, choices={"attention": "eca"})
    found = labels(tmp_path)
    assert found == ["ResNet-20", "ECA (attention kernel_size 3)", "ECA (attention kernel_size 5)"]


def test_one_network_under_two_labels_is_one_row(write, tmp_path):
    write(seed=1, label="Second")
    write(seed=0, label="First")
    assert labels(tmp_path) == ["First"]


def test_no_two_labels_are_alike_whatever_the_difference(write, tmp_path):
    """Two strides swapped between the stages leave the same parts."""
    for strides in ([1, 2], [2, 1], [1, 1]):
        stages = [{"_target_": "cifar100.models.stage.strided.StridedStage", "stride": each} for each in strides]
        write(changes={"model.stage": stages}, label="x" * 200)
    found = labels(tmp_path)
    assert len(set(found)) == 3 and max(map(len, found)) <= 84


def test_labels_are_lines_of_plain_text(write, tmp_path):
    write(label="two\nlines\x1b[31m red \u202e turned" + "!" * 100)
    (found,) = labels(tmp_path)
    assert found.startswith("two lines[31m red turned!") and found.isprintable() and len(found) == 60


@pytest.mark.parametrize("label", ["", "  \n", "\u200b"])
def test_an_empty_label_is_none(write, tmp_path, label):
    write(label=label)
    assert labels(tmp_path) == ["resnet20"]


def test_a_mixed_recipe_is_named_even_beside_long_labels(write, tmp_path):
    write(label="A" * 60)
    write(label="B" * 60, changes={"optimizer.lr": 0.2, "trainer.num_train_epochs": 9})
    assert labels(tmp_path, allow_mixed=True)[1].endswith("... (lr 0.2, num_train_epochs 9)")


def test_defaults_are_those_of_the_configuration(checkout_defaults):
    defaults = default_choices()
    assert {key: checkout_defaults[key] for key in defaults} == defaults
    assert set(checkout_defaults) - set(defaults) == {"trainer", "tracker", "experiment", "row", "pruning"}
