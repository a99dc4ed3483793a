"""The full table of settings: what all rows share, what differs, and how each row's network is composed."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.records.parts import differences, parts, varying
from cifar100.report.records.study import Study
from cifar100.report.tables.table import Cell, Table
from cifar100.report.tables.table_notes import setting_text

# Targets that there is only one of, which say nothing.
_ONLY_ONE = {"data", "augment", "trainer"}
MOST_VALUES = 6


def hyperparameter_table(study: Study, words: Words, id: str = "hyperparameters") -> Table:
    """One line a setting, under the names that the command line knows; the values of settings that differ between rows
    stand side by side, with a mark."""
    shared = [key for key in study.shared_recipe if key not in _ONLY_ONE]
    different = {key: values for key, values in (study.declared | study.mixed).items() if key not in _ONLY_ONE}
    rows = [_row(key, setting_text(key, study.shared_recipe[key]), "") for key in shared]
    for key, values in different.items():
        texts = [setting_text(key, value) for value in values[:MOST_VALUES]]
        rows.append(_row(key, " | ".join(texts), words("tables.differs")))
    columns = ("group", "setting", "value", "differs")
    return Table(
        id=id,
        title=words("tables.hyperparameters", study=study.name),
        columns=tuple(words(f"tables.columns.{key}") for key in columns)[: 4 if different else 3],
        rows=tuple(row[: 4 if different else 3] for row in rows),
        notes=(words("tables.notes.hyperparameters"),),
        keys=columns[: 4 if different else 3],
    )


def composition_table(study: Study, words: Words, id: str = "composition") -> Table:
    """What sets each row's network apart from the baseline's, part by part."""
    networks = [parts(row.runs[0].network) for row in study.rows]
    options = varying(networks)
    home = study.baseline.runs[0].choices
    rows = []
    for row, network in zip(study.rows, networks, strict=True):
        names = {port: name for port, name in row.runs[0].choices.items() if name != home.get(port)}
        changes = differences(network, networks[0], options, names)
        text = ", ".join(changes) if row is not study.baseline else words("tables.verdicts.baseline")
        rows.append((Cell(row.label), Cell(plain_line(text, 400) or words("tables.only_recipe"))))
    columns = ("row", "composition")
    return Table(
        id=id,
        title=words("tables.composition", baseline=study.baseline.label),
        columns=tuple(words(f"tables.columns.{key}") for key in columns),
        rows=tuple(rows),
        notes=(words("tables.notes.composition", parts=_listed(networks[0])),),
        keys=columns,
    )


def _row(key: str, value: str, differs: str) -> tuple[Cell, ...]:
    group, _, name = key.partition(".")
    return tuple(Cell(text) for text in (plain_line(group, 40), plain_line(name or group, 60), value, differs))


def _listed(network: dict[tuple[str, str], object]) -> str:
    return ", ".join(f"{plain_line(port, 40)} {plain_line(leaf, 40)}" for port, leaf in sorted(network) if port)
