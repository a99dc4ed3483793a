"""Tables by class: the hardest classes, and how many classes changed."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.claims.comparison import common_seeds
from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.class_results import Change, ClassResults, class_results
from cifar100.report.tables.number_text import NONE, count, percent
from cifar100.report.tables.table import Cell, Table

HARDEST = 10
MOST_ROWS = 8


def per_class_tables(study: Study, words: Words) -> list[Table]:
    """The tables by class that the study's evaluations allow; none where they kept no results by class."""
    results = class_results(study)
    if results is None:
        return []
    changes = {row.label: results.changes(study, row) for row in study.rows[1:]}
    tables = [hardest_table(study, results, words)]
    if any(changes.values()):
        tables.append(_counts_table(study, changes, words))
    return tables


def hardest_table(study: Study, results: ClassResults, words: Words) -> Table:
    """The classes that the baseline gets right least often, with the means of the first rows."""
    rows = [row for row in study.rows if row.label in results.top1][:MOST_ROWS]
    means = [results.mean(row) or [] for row in rows]
    classes = [index for index, n in enumerate(results.images) if n]
    hardest = sorted(classes, key=lambda index: (means[0][index], index))[:HARDEST]
    lines = [
        (
            Cell(results.names[index]),
            Cell(results.superclasses[index]),
            Cell(count(results.images[index]), results.images[index]),
            *(Cell(percent(mean[index]), mean[index]) for mean in means),
        )
        for index in hardest
    ]
    table = Table(
        id="hardest-classes",
        title=words("tables.hardest", baseline=study.baseline.label),
        columns=(*_headings(words, "class", "superclass", "images"), *(row.label for row in rows)),
        rows=tuple(lines),
        notes=(words("tables.notes.hardest", n=study.baseline.n),),
        numeric=(False, False, True, *(True,) * len(rows)),
        keys=("class", "superclass", "images", *(f"row_{place}" for place in range(len(rows)))),
    )
    return _without_empty(table, "superclass")


def _counts_table(study: Study, changes: dict[str, list[Change]], words: Words) -> Table:
    keys = ("row", "higher", "lower", "equal", "distinguishable")
    lines = [_counts(study, row, changes[row.label]) for row in study.rows[1:] if changes[row.label]]
    return Table(
        id="class-counts",
        title=words("tables.class_counts", baseline=study.baseline.label),
        columns=_headings(words, *keys),
        rows=tuple(lines),
        notes=(words("tables.notes.class_counts", classes=_most(changes)),),
        numeric=(False, True, True, True, True),
        keys=keys,
    )


def _counts(study: Study, row: Row, changes: Sequence[Change]) -> tuple[Cell, ...]:
    higher = sum(change.after > change.before for change in changes)
    lower = sum(change.after < change.before for change in changes)
    numbers = [higher, lower, len(changes) - higher - lower]
    cells = [Cell(row.label), *(Cell(str(number), number) for number in numbers)]
    if len(common_seeds(study, row)) < 2:
        return (*cells, Cell(NONE))
    sure = sum(change.distinguishable for change in changes)
    return (*cells, Cell(str(sure), sure))


def _headings(words: Words, *keys: str) -> tuple[str, ...]:
    return tuple(words(f"tables.columns.{key}") for key in keys)


def _most(changes: dict[str, list[Change]]) -> int:
    return max(map(len, changes.values()))


def _without_empty(table: Table, key: str) -> Table:
    """The table without the column `key` where that says nothing: not every data set has superclasses."""
    if any(cell.text for cell in table.column(key)):
        return table
    drop = table.keys.index(key)

    def kept(parts: Sequence) -> tuple:
        return (*parts[:drop], *parts[drop + 1 :])

    rows = tuple(map(kept, table.rows))
    return Table(table.id, table.title, kept(table.columns), rows, table.notes, kept(table.numeric), kept(table.keys))
