"""The tables of settings: the recipe of each row, all settings, and how each row's network is composed."""

from collections.abc import Mapping, Sequence
from typing import Any

from cifar100.base.text import plain_line
from cifar100.base.values import is_whole
from cifar100.report.document.words import Words
from cifar100.report.records.parts import built, differences, leaf_name, parts, readable, varying
from cifar100.report.records.setting import setting
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.table import Cell, Table, table_of

NAMES = {"sgd": "SGD", "adamw": "AdamW", "adafactor": "Adafactor", "muon": "Muon"}
SETTINGS = {
    "optimizer": "optimizer",
    "lr": "optimizer.lr",
    "scheduler": "scheduler",
    "warmup_epochs": "scheduler.warmup_epochs",
    "momentum": "optimizer.momentum",
    "weight_decay": "optimizer.weight_decay",
    "batch_size": "trainer.per_device_train_batch_size",
    "epochs": "trainer.num_train_epochs",
}
# An option of the primitives that have it, by their modules' names.
OPTIONS = {
    "eca_kernel_size": (("eca",), "kernel_size"),
    "ghost_ratio": (("ghost", "ghost_eca", "ghost_bottleneck"), "ratio"),
}
# The settings that a reader looks for first.
CHIEF = (
    "data.name", "data.val_size", "trainer.num_train_epochs", "trainer.per_device_train_batch_size", "optimizer",
    "optimizer.lr", "optimizer.weight_decay", "scheduler", "scheduler.warmup_epochs", "loss.label_smoothing",
    "augment.policy", "augment.mixup_alpha", "augment.cutmix_alpha", "augment.cutout", "ema_decay",
    "evaluation.checkpoint", "evaluation.precision",
)  # fmt: skip
_OFF = (None, 0, False)
# The parts of a recipe whose chief settings the table of recipes has.
GROUPS = {key.partition(".")[0] for key in SETTINGS.values()}
_ONLY_ONE = {"data", "augment", "trainer"}  # targets that there is only one of, which say nothing
MAX_VALUE, MOST_VALUES = 24, 6


def recipe_table(study: Study, words: Words) -> Table:
    """One line a hyper-parameter, one column a row of the study; "N/A" where a design does not have it.

    ECA's kernel size and Ghost's ratio are left out where no design has them.
    """
    settings = [setting(row.runs[0]) for row in study.rows]
    lines = {key: [_text(key, each, words) for each in settings] for key in SETTINGS}
    options = {key: [_option(key, row, words) for row in study.rows] for key in OPTIONS}
    lines |= {key: texts for key, texts in options.items() if any(texts)}
    missing = words("tables.not_applicable")
    rows = [[words(f"tables.recipe.{key}"), *(text or missing for text in texts)] for key, texts in lines.items()]
    labels = [row.label for row in study.rows]
    return table_of(words, "recipes", words("tables.recipes"), ["hyperparameter"], rows, labels=labels, numeric=False)


def recipe_changes(lines: Sequence[tuple[Cell, Cell, Cell]], words: Words) -> str:
    """In what ours differs from theirs, of lines of a table of recipes, each of name, our value and their value."""
    missing = words("tables.not_applicable")
    changed = [
        f"{name.text.lower()} {ours.text}" for name, ours, theirs in lines[: len(SETTINGS)]
        if ours.text not in (theirs.text, missing)
    ]  # fmt: skip
    return words("findings.comma").join(changed)


def recipe_line(study: Study) -> str:
    """The chief settings that all rows share, as they are named in conf/; those that are off are left out."""
    found = [(key, study.shared_recipe[key]) for key in CHIEF if key in study.shared_recipe]
    shown = [(key, value) for key, value in found if value not in _OFF or key == "data.val_size"]
    return ", ".join(f"{key.removeprefix('trainer.')}={_value(key, value)}" for key, value in shown)


def hyperparameter_table(study: Study, words: Words) -> Table:
    """One line a setting, under the names that the command line knows; the values of settings that differ between rows
    stand side by side, with a mark."""
    different, lines = study.declared | study.mixed, []
    for key, value in {**study.shared_recipe, **different}.items():
        if key not in _ONLY_ONE:
            group, _, name = key.partition(".")
            values = value[:MOST_VALUES] if key in different else [value]
            text, mark = " | ".join(_value(key, each) for each in values), words("tables.differs")
            lines.append((plain_line(group, 40), plain_line(name or group, 60), text, mark if key in different else ""))
    title, notes = words("tables.hyperparameters", study=study.name), [words("tables.notes.hyperparameters")]
    table = table_of(words, "hyperparameters", title, ("group", "setting", "value", "differs"), lines, notes)
    return table if different.keys() - _ONLY_ONE else table.without("differs")


def composition_table(study: Study, words: Words) -> Table:
    """The differences of each row's network to the baseline's, part by part."""
    networks = [parts(row.runs[0].network) for row in study.rows]
    options, home = varying(networks), study.baseline.runs[0].choices
    rows = [(study.baseline.label, words("tables.verdicts.baseline"))]
    for row, network in list(zip(study.rows, networks, strict=True))[1:]:
        names = {port: name for port, name in row.runs[0].choices.items() if name != home.get(port)}
        text = plain_line(", ".join(differences(network, networks[0], options, names)), 400)
        rows.append((row.label, text or words("tables.only_recipe")))
    whole = ", ".join(f"{plain_line(port, 40)} {plain_line(leaf, 40)}" for port, leaf in sorted(networks[0]) if port)
    title, notes = (
        words("tables.composition", baseline=study.baseline.label),
        [words("tables.notes.composition", parts=whole)],
    )
    return table_of(words, "composition", title, ("row", "composition"), rows, notes)


def _value(key: str, value: Any) -> str:
    """A setting's value on one line; a group's target by its short name."""
    is_target = "." not in key and isinstance(value, str)
    return plain_line(leaf_name(value) if is_target else readable(value), 60)


def _text(key: str, settings: Mapping[str, Any], words: Words) -> str | None:
    value = settings.get(SETTINGS[key])
    if value is None:
        return None
    if key == "batch_size" and isinstance(value, int):
        for factor in (settings.get("trainer.gradient_accumulation_steps"), settings.get("processes")):
            value *= factor if isinstance(factor, int) else 1
    name = leaf_name(value)
    known = NAMES.get(name) if key == "optimizer" else words.get(f"tables.schedules.{name}")
    if key in ("optimizer", "scheduler"):
        return known or plain_line(name, MAX_VALUE)
    steps = settings.get("trainer.max_steps")
    if key == "epochs" and is_whole(steps) and steps > 0:  # these count instead of epochs
        return words("tables.steps", n=steps)
    return plain_line(readable(value), MAX_VALUE)


def _option(key: str, row: Row, words: Words) -> str | None:
    """The values that the option has in the row's network; None where the network has no such primitive."""
    primitives, option = OPTIONS[key]
    nodes = [node for node in built(row.runs[0].network) if leaf_name(node["_target_"]) in primitives]
    values = [node[option] for node in nodes if option in node]
    texts = [words("tables.adaptive") if value is None else readable(value) for value in values]
    return plain_line(" / ".join(dict.fromkeys(texts)), MAX_VALUE) or None
