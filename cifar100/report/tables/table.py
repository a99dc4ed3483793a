"""A table of the report, which every renderer prints from the same cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from cifar100.base.errors import UserError
from cifar100.record.fields import FIELDS
from cifar100.report.document.words import Words

# Beside the fields of a record, the columns of numbers, which are set to the right.
NUMERIC = {
    "n", "seed", "change", "blocks", "stage_channels", "stage_stride", "stage_output", "images", "higher", "lower",
    "equal", "distinguishable",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """`text` is what every renderer prints, unescaped; `value` the number behind it in full precision and in the unit
    of the record (fractions, seconds, counts); `note` a remark for where there is room for one, such as a tooltip."""

    text: str
    value: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings.

    `numeric` says for each column whether it is set to the right; `keys` what it is called in every language, which is
    also the heading of its numbers in full precision.

    Raises:
        UserError: a part that has another length than the headings; a bug of whoever built it.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    numeric: tuple[bool, ...] = ()
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.numeric:
            object.__setattr__(self, "numeric", (False,) * len(self.columns))
        if not self.keys:
            object.__setattr__(self, "keys", tuple(f"column_{place}" for place in range(1, len(self.columns) + 1)))
        if any(len(part) != len(self.columns) for part in (self.numeric, self.keys, *self.rows)):
            raise UserError(f"table {self.id}: each row needs {len(self.columns)} cells, as many as it has headings")

    def column(self, key: str) -> tuple[Cell, ...]:
        """The cells under a key. Raises ValueError where there is no such column."""
        place = self.keys.index(key)
        return tuple(row[place] for row in self.rows)

    def only(self, *keys: str) -> Self:
        """The table with the columns of `keys` alone, in their order; keys that it does not have are passed over."""
        places = [self.keys.index(key) for key in keys if key in self.keys]
        columns, numeric, kept, *rows = (
            tuple(part[place] for place in places) for part in (self.columns, self.numeric, self.keys, *self.rows)
        )
        return replace(self, columns=columns, rows=tuple(rows), numeric=numeric, keys=kept)

    def without(self, key: str) -> Self:
        return self.only(*(each for each in self.keys if each != key))


def table_of(
    words: Words,
    id: str,
    title: str,
    keys: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    notes: Sequence[str] = (),
    *,
    labels: Sequence[str] = (),
    numeric: bool = True,
) -> Table:
    """A table of columns by their keys, headed as fields of a record or by `tables.columns.<key>` of words/, then one
    column of numbers, or not, for each of `labels`. A text stands for the cell of that text."""
    heads = [FIELDS[key].heading(words.language) if key in FIELDS else words(f"tables.columns.{key}") for key in keys]
    return Table(
        id,
        title,
        (*heads, *labels),
        tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows),
        tuple(notes),
        (*(key in FIELDS or key in NUMERIC for key in keys), *(numeric for _ in labels)),
        (*keys, *(f"row_{place}" for place in range(len(labels)))),
    )
