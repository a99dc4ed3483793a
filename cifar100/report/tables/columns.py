"""The columns of which the tables over a study's rows are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cifar100.report.claims.comparison import compare, mean_difference, verdict
from cifar100.report.claims.statistics import Difference, summarize
from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import NONE, count, duration, interval, millions, percent, points, probability
from cifar100.report.tables.table import Cell, Table


@dataclass(frozen=True)
class Column:
    """A column by its key, which also names its heading in words/tables.*.yaml, and what it holds for a row."""

    key: str
    cell: Callable[[Row], Cell]
    numeric: bool = True


class Columns:
    """The columns that a study's rows can have, by key, and tables of them."""

    def __init__(self, study: Study, words: Words) -> None:
        self.study, self.words = study, words
        self.differences = compare(study)
        every = (
            Column("row", self._label, numeric=False),
            Column("n", lambda row: Cell(str(row.n), row.n)),
            Column("seeds", lambda row: Cell(", ".join(map(str, row.seeds))), numeric=False),
            Column("top1", lambda row: _mean_and_std(row, "top1")),
            Column("top5", lambda row: _mean_and_std(row, "top5")),
            Column("top1_mean", lambda row: _percent(summarize(row.values("top1")).mean)),
            Column("top1_std", lambda row: _percent(summarize(row.values("top1")).std)),
            Column("parameters", lambda row: Cell(count(row.parameters), row.parameters)),
            Column("macs", lambda row: Cell(millions(row.macs), row.macs)),
            Column("change", self._change),
            Column("change_mean", self._change_alone),
            Column("change_low", lambda row: self._end(row, "low")),
            Column("change_high", lambda row: self._end(row, "high")),
            Column("p", self._p),
            Column("verdict", self._verdict, numeric=False),
            Column("train_s", lambda row: Cell(duration(row.train_s), _finite(row.train_s))),
        )
        self._by_key = {column.key: column for column in every}

    def table(self, id: str, title: str, keys: Sequence[str], notes: Sequence[str] = ()) -> Table:
        """All rows of the study under the columns of these keys."""
        columns = [self._by_key[key] for key in keys]
        return Table(
            id=id,
            title=title,
            columns=tuple(self.words(f"tables.columns.{key}") for key in keys),
            rows=tuple(tuple(column.cell(row) for column in columns) for row in self.study.rows),
            notes=tuple(notes),
            numeric=tuple(column.numeric for column in columns),
            keys=tuple(keys),
        )

    def _label(self, row: Row) -> Cell:
        same = self.words("tables.same_network", other=row.identical_to) if row.identical_to else ""
        return Cell(row.label, note=same)

    def _change(self, row: Row) -> Cell:
        """`+1.20 [+0.40, +2.00]`, or `+1.20 (n = 2, no interval)`."""
        if row is self.study.baseline or row.identical_to is not None:
            return self._change_alone(row)
        difference, alone = self._difference(row), self._change_alone(row)
        if difference is None or not difference.has_interval:
            n = min(row.n, self.study.baseline.n)
            return Cell(f"{alone.text} ({self.words('tables.no_interval', n=n)})", alone.value)
        return Cell(f"{alone.text} {interval(difference.low, difference.high)}", alone.value)

    def _change_alone(self, row: Row) -> Cell:
        if row is self.study.baseline:
            return Cell(NONE)
        change = mean_difference(self.study, row)
        return Cell(points(change), change)

    def _verdict(self, row: Row) -> Cell:
        if row is self.study.baseline:
            return Cell(self.words("tables.verdicts.baseline"))
        return Cell(self.words(f"tables.verdicts.{verdict(self.study, row, self._difference(row))}"))

    def _end(self, row: Row, name: str) -> Cell:
        difference = self._difference(row)
        if difference is None or not difference.has_interval:
            return Cell(NONE)
        return Cell(points(getattr(difference, name)), getattr(difference, name))

    def _p(self, row: Row) -> Cell:
        difference = self._difference(row)
        known = difference is not None and difference.has_interval
        return Cell(probability(difference.p), difference.p) if known else Cell(NONE)

    def _difference(self, row: Row) -> Difference | None:
        return self.differences.get(row.label)


def _mean_and_std(row: Row, metric: str) -> Cell:
    found = summarize(row.values(metric))
    return Cell(percent(found.mean, found.std), found.mean)


def _percent(fraction: float) -> Cell:
    return Cell(percent(fraction), _finite(fraction))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
