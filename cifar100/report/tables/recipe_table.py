"""Hyper-parameters by design: with what each row of a study was trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.records.parts import leaf_name, readable
from cifar100.report.records.row import Row
from cifar100.report.records.setting import setting
from cifar100.report.records.study import Study
from cifar100.report.tables.table import Cell, Table

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
MAX_VALUE = 24


def recipe_table(study: Study, words: Words, id: str = "recipes") -> Table:
    """One line a hyper-parameter, one column a row of the study; "N/A" where a design does not have it.

    ECA's kernel size and Ghost's ratio are left out where no design has them.
    """
    settings = [setting(row.runs[0]) for row in study.rows]
    lines = [(key, [_text(key, each, words) for each in settings]) for key in SETTINGS]
    for key in OPTIONS:
        texts = [_option(key, row, words) for row in study.rows]
        if any(text is not None for text in texts):
            lines.append((key, texts))
    missing = words("tables.not_applicable")
    return Table(
        id=id,
        title=words("tables.recipes", study=study.name),
        columns=(words("tables.columns.hyperparameter"), *(row.label for row in study.rows)),
        rows=tuple(
            (Cell(words(f"tables.recipe.{key}")), *(Cell(missing if text is None else text) for text in texts))
            for key, texts in lines
        ),
        keys=("hyperparameter", *(f"row_{place}" for place in range(len(study.rows)))),
    )


def _text(key: str, settings: Mapping[str, Any], words: Words) -> str | None:
    value = settings.get(SETTINGS[key])
    if key == "batch_size" and isinstance(value, int):
        steps = [settings.get("trainer.gradient_accumulation_steps"), settings.get("processes")]
        for factor in steps:
            value *= factor if isinstance(factor, int) else 1
    if key == "optimizer" and value is not None:
        return NAMES.get(leaf_name(value), plain_line(leaf_name(value), MAX_VALUE))
    if key == "scheduler" and value is not None:
        name = leaf_name(value)
        return (
            words(f"tables.schedules.{name}") if words.has(f"tables.schedules.{name}") else plain_line(name, MAX_VALUE)
        )
    return None if value is None else plain_line(readable(value), MAX_VALUE)


def _option(key: str, row: Row, words: Words) -> str | None:
    """The values that the option has in the row's network; None where the network has no such primitive."""
    primitives, option = OPTIONS[key]
    nodes = [node for node in _nodes(row.runs[0].network) if leaf_name(node.get("_target_", "")) in primitives]
    values = [node[option] for node in nodes if option in node]
    texts = [words("tables.adaptive") if value is None else readable(value) for value in values]
    return plain_line(" / ".join(dict.fromkeys(texts)), MAX_VALUE) if texts else None


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping):
        yield tree
        for each in tree.values():
            yield from _nodes(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _nodes(each)
