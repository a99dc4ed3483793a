"""A table of the report, which every renderer prints from the same cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cifar100.base.errors import UserError


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
        ValueError: a part that has another length than the headings; a bug of whoever built it.
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

    def only(self, *keys: str) -> Table:
        """The table with the columns of `keys` alone, in their order; keys that it does not have are passed over."""
        places = [self.keys.index(key) for key in keys if key in self.keys]
        columns, numeric, kept = (
            tuple(part[place] for place in places) for part in (self.columns, self.numeric, self.keys)
        )
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        return replace(self, columns=columns, rows=rows, numeric=numeric, keys=kept)
