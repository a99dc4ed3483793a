"""Designs that bring a recipe of their own stand in one table with the others; other differences are refused."""

import pytest

from cifar100.report.document.words import load_words
from cifar100.report.records.provenance import epochs
from cifar100.report.records.study import read_study
from cifar100.report.tables.comparison import main_table
from cifar100.report.tables.settings import hyperparameter_table, recipe_table

ECA = "model.stage.block.attention"
MIXER = "model.stage.block.mixer"
EN, ZH = load_words("en"), load_words("zh")


def write_designs(synthetic, folder, own_recipe, **options):
    """ResNet-20 and ECA by SGD, and a design by AdamW that declares `own_recipe`."""
    eca = {ECA: synthetic.attention("eca", kernel_size=None)}
    adamw = {"optimizer": synthetic.ADAMW, "own_recipe": own_recipe, "model.widths": [24, 48, 96]}
    for seed in (0, 1):
        synthetic.write_run(folder, seed=seed, label="ResNet-20", row="main_0")
        synthetic.write_run(folder, seed=seed, label="ECA", row="main_1", changes=eca)
        changes = adamw | options.get("changes", {})
        synthetic.write_run(folder, seed=seed, label="ConvNeXt-like", row="main_3", changes=changes)


def table_of(table) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


@pytest.mark.parametrize("own_recipe", [["optimizer"], ["scheduler", "optimizer"]])
def test_a_declared_recipe_is_compared_and_named(synthetic, tmp_path, own_recipe):
    write_designs(synthetic, tmp_path, own_recipe)
    study = read_study(tmp_path)
    assert [row.label for row in study.rows] == ["ResNet-20", "ECA", "ConvNeXt-like"]
    assert not study.mixed and not study.one_recipe
    assert study.declared["optimizer.lr"] == [0.1, 0.001] and "optimizer.lr" not in study.shared_recipe
    (note,) = [note for note in main_table(study, EN).notes if "part of its design" in note]
    assert "ConvNeXt-like" in note and "optimizer AdamW, initial learning rate 0.001" in note
    differing = {row[1].text: row[2].text for row in hyperparameter_table(study, EN).rows if row[3].text}
    assert differing["lr"] == "0.1 | 0.001" and differing["optimizer"] == "sgd | adamw"


def test_table_of_hyper_parameters_by_design(synthetic, tmp_path):
    write_designs(synthetic, tmp_path, ["optimizer"], changes={MIXER: synthetic.GHOST})
    table = recipe_table(read_study(tmp_path), EN)
    assert table.columns == ("Hyper-parameter", "ResNet-20", "ECA", "ConvNeXt-like")
    assert table_of(table) == {
        "Optimizer": ["SGD", "SGD", "AdamW"],
        "Initial learning rate": ["0.1", "0.1", "0.001"],
        "Schedule": ["cosine", "cosine", "cosine"],
        "Warm-up (epochs)": ["0", "0", "0"],
        "Momentum": ["0.9", "0.9", "N/A"],
        "Weight decay": ["0.0005", "0.0005", "0.05"],
        "Batch size": ["128", "128", "128"],
        "Epochs": ["5", "5", "5"],
        "Kernel size k of ECA": ["N/A", "adaptive", "N/A"],
        "Ratio s of Ghost": ["N/A", "N/A", "2"],
    }
    chinese = recipe_table(read_study(tmp_path), ZH)
    assert [row[1].text for row in chinese.rows][2] == "余弦退火" and len(chinese.rows) == 10


def test_batches_of_several_steps_and_processes_are_multiplied(write, tmp_path):
    run = write(changes={"trainer.gradient_accumulation_steps": 2})
    run.write_environment(run.environment() | {"processes": 4})
    table = table_of(recipe_table(read_study(tmp_path), EN))
    assert table["Batch size"] == ["1024"] and "Ratio s of Ghost" not in table


@pytest.mark.parametrize(
    ("own_recipe", "changes", "undeclared"),
    [
        (None, {}, "optimizer is"),
        (["scheduler"], {}, "optimizer is"),
        (["optimizer.lr"], {}, "optimizer is"),
        (["optimizer"], {"trainer.per_device_train_batch_size": 64}, "trainer.per_device_train_batch_size is"),
        (["optimizer", "data"], {"data.val_size": 5000}, "data.val_size is"),
        ("optimizer", {}, "optimizer is"),
        ([["optimizer"], {"a": 1}, None, "evaluation"], {}, "optimizer is"),
    ],
)
def test_what_nobody_declared_is_refused(synthetic, tmp_path, own_recipe, changes, undeclared):
    write_designs(synthetic, tmp_path, own_recipe, changes=changes)
    with pytest.raises(ValueError, match="mixes recipes: .*allow_mixed=true") as refused:
        read_study(tmp_path)
    assert undeclared in str(refused.value) and "\n" not in str(refused.value)
    assert set(read_study(tmp_path, allow_mixed=True).mixed)


def test_the_refusal_names_the_declaration_that_would_cure(synthetic, tmp_path):
    write_designs(synthetic, tmp_path, None)
    with pytest.raises(ValueError, match=r"own_recipe=\[optimizer\]"):
        read_study(tmp_path)


def test_a_single_key_can_be_declared(write, tmp_path):
    for seed in (0, 1):
        write(seed=seed, label="A", row="a")
        changes = {"optimizer.lr": 0.2, "own_recipe": ["optimizer.lr"]}
        write(seed=seed, label="B", row="b", changes=changes)
    assert read_study(tmp_path).declared == {"optimizer.lr": [0.1, 0.2]}


def test_the_baseline_may_declare(write, synthetic, tmp_path):
    """In the table of large kernels the designs by AdamW come first, and one by SGD stands beside them."""
    changes = {"optimizer": synthetic.ADAMW, "own_recipe": ["optimizer"]}
    write(label="ConvNeXt-like", row="a", changes=changes)
    write(label="ResNeSt", row="b", changes={"model.widths": [8, 8, 8]})
    study = read_study(tmp_path)
    assert not study.mixed and study.baseline.label == "ConvNeXt-like"
    assert any("ResNeSt" in note and "optimizer SGD" in note for note in main_table(study, EN).notes)


def test_a_record_from_before_the_declaration_belongs_to_the_same_row(write, synthetic, tmp_path):
    changes = {"optimizer": synthetic.ADAMW, "model.widths": [24, 48, 96]}
    write(label="ResNet-20", row="a")
    write(seed=0, label="ConvNeXt-like", row="b", changes=changes)
    write(seed=1, label="ConvNeXt-like", row="b", changes=changes | {"own_recipe": ["optimizer"]})
    study = read_study(tmp_path)
    assert [row.n for row in study.rows] == [1, 2] and not study.mixed


def test_rows_without_labels_are_called_by_their_recipes(write, synthetic, tmp_path):
    """A sweep over optimizers declares them, and its rows have no labels."""
    write(changes={"own_recipe": ["optimizer"]})
    changes = {"optimizer": synthetic.ADAMW, "own_recipe": ["optimizer"]}
    write(changes=changes, choices={"optimizer": "adamw"})
    labels = [row.label for row in read_study(tmp_path).rows]
    assert labels == ["resnet20", "resnet20 (optimizer adamw, lr 0.001, weight_decay 0.05)"]


def test_weights_that_a_run_began_with_are_part_of_its_recipe(synthetic, tmp_path):
    """A record has such a key only where the run had the option."""
    for name, own in (("undeclared", None), ("declared", ["init_from"])):
        for seed in (0, 1):
            synthetic.write_run(tmp_path / name, seed=seed, label="ResNet-20", row="main_0")
            changes = {"init_from": "resnet20@01234567", "own_recipe": own}
            synthetic.write_run(tmp_path / name, seed=seed, label="Continued", row="main_1", changes=changes)
    with pytest.raises(ValueError, match="mixes recipes: init_from is"):
        read_study(tmp_path / "undeclared")
    assert read_study(tmp_path / "declared").declared["init_from"] == [None, "resnet20@01234567"]


@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_a_loss_of_its_own_is_named_and_steps_are_not_told_as_epochs(synthetic, tmp_path, words):
    """Where steps are counted, num_train_epochs is only what the run would have had otherwise."""
    steps = {"trainer.max_steps": 120, "trainer.num_train_epochs": 150}
    taught = {"loss._target_": "cifar100.losses.distillation.DecoupledDistillation", "own_recipe": ["loss"]}
    choice = {"loss": "decoupled_distillation"}
    synthetic.write_run(tmp_path, label="ResNet-20", changes=steps)
    synthetic.write_run(tmp_path, label="taught", changes=steps | taught, choices=choice)
    study = read_study(tmp_path)
    assert sum("loss decoupled_distillation" in note for note in main_table(study, words).notes) == 1
    name, counted = words("tables.recipe.epochs"), words("tables.steps", n=120)
    assert table_of(recipe_table(study, words))[name] == [counted, counted]
    assert epochs([study]) == [5], "the epochs that the steps came to"
