"""The tables that compare a study's rows: accuracy, cost, and the change to the baseline; and what must be said under
them so that nobody reads more from them than their runs support."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import against_baseline, compare, compared, mean_difference, verdict
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.words import Words
from cifar100.report.records.provenance import commits
from cifar100.report.records.setting import changed_words, setting
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.number_text import NONE, count, duration, interval, millions, percent, points
from cifar100.report.tables.settings import GROUPS, recipe_changes, recipe_table
from cifar100.report.tables.table import Cell, Table, table_of

MOST_MACHINES = 4

MAIN = ("row", "n", "top1", "top5", "parameters", "macs", "change", "verdict", "train_s")
ABLATION = ("row", "n", "top1", "change", "verdict", "parameters", "macs")


def main_table(study: Study, words: Words) -> Table:
    """Every row with all that the study compares."""
    return Columns(study, words).table("main", "main", MAIN, table_notes(study, words, times=True))


def ablation_table(study: Study, words: Words, id: str) -> Table:
    """Every row of one ablation: accuracy, change and size."""
    return Columns(study, words).table(id, "ablation", ABLATION, table_notes(study, words))


class Columns:
    """The columns that tables over a study's rows can have, by key; their headings are `tables.columns` of words/."""

    def __init__(self, study: Study, words: Words) -> None:
        self.study, self.words, self._differences = study, words, compare(study)
        self._cells: dict[str, Callable[[Row], Cell]] = {
            "row": self._label,
            "n": lambda row: Cell(str(row.n), row.n),
            "top1": lambda row: _spread(row, "top1"),
            "top5": lambda row: _spread(row, "top5"),
            "parameters": lambda row: _cell(count, row.parameters),
            "macs": lambda row: _cell(millions, row.macs),
            "change": self._change,
            "verdict": self._verdict,
            "train_s": lambda row: _cell(duration, row.train_s),
        }

    def table(self, id: str, title: str, keys: Sequence[str], notes: Sequence[str]) -> Table:
        """All rows of the study under the columns of these keys; `title` names its text."""
        heading = self.words(f"tables.{title}", study=self.study.name, baseline=self.study.baseline.label)
        rows = ([self._cells[key](row) for key in keys] for row in self.study.rows)
        return table_of(self.words, id, heading, keys, rows, notes)

    def texts(self, row: Row, *keys: str) -> dict[str, str]:
        """The cells of a row, as fields of a text."""
        return {key: self._cells[key](row).text for key in keys}

    def _label(self, row: Row) -> Cell:
        same = self.words("tables.same_network", other=row.identical_to) if row.identical_to else ""
        return Cell(row.label, note=same)

    def _change(self, row: Row) -> Cell:
        """`+1.20 [+0.40, +2.00]`, or `+1.20 (n = 2, no interval)`."""
        if row is self.study.baseline:
            return Cell(NONE)
        mean, found = mean_difference(self.study, row), self._differences.get(row.label)
        none = self.words("tables.no_interval", n=min(row.n, self.study.baseline.n))
        ends = interval(found.low, found.high) if found and found.has_interval else f"({none})"
        return Cell(points(mean) if row.identical_to else f"{points(mean)} {ends}", mean)

    def _verdict(self, row: Row) -> Cell:
        is_baseline = row is self.study.baseline
        decided = "baseline" if is_baseline else verdict(self.study, row, self._differences.get(row.label))
        return Cell(self.words(f"tables.verdicts.{decided}"))


def _spread(row: Row, metric: str) -> Cell:
    found = summarize(row.values(metric))
    return Cell(percent(found.mean, found.std), found.mean)


def _cell(text: Callable[[float], str], value: float) -> Cell:
    return Cell(text(value), value if math.isfinite(value) else None)


def table_notes(study: Study, words: Words, *, times: bool = False) -> list[str]:
    """The notes of a table over the study's rows, in the order of their weight; `times` where it shows times."""

    def note(key: str, **fields: Any) -> str:
        return words(f"tables.notes.{key}", **fields)

    notes = [note("change", baseline=study.baseline.label), *_intervals(study, words), *_own_recipes(study, words)]
    if study.mixed:
        notes.append(note("mixed", keys=", ".join(plain_line(key, 60) for key in study.mixed)))
    if any(row.n == 1 for row in study.rows):
        notes.append(note("one_seed"))
    notes += [note("identical", row=row.label, other=row.identical_to) for row in study.rows if row.identical_to]
    for row in study.rows:
        operators = row.runs[0].evaluation.get("uncounted_operators")
        if isinstance(operators, dict) and operators:
            names = ", ".join(plain_line(name, 40) for name in list(operators)[:8])
            notes.append(note("uncounted", row=row.label, operators=names))
    if times:
        found = machines(study, words)
        notes.append(note("times", machines="; ".join(found[:MOST_MACHINES])))
        if len(found) > 1:
            notes.append(note("several_machines"))
    if (versions := len(commits(study.runs))) > 1:
        notes.append(note("several_commits", n=versions))
    if study.left_out:
        notes.append(note("left_out", n=len(study.left_out)))
    return notes


def machines(study: Study, words: Words) -> list[str]:
    """The processors or GPUs that the runs were trained on, the most used first."""
    names = []
    for hardware in (run.environment.get("hardware") for run in study.runs):
        known = hardware if isinstance(hardware, dict) else {}
        gpus = known["gpus"] if isinstance(known.get("gpus"), list) else []
        gpus = [gpu["name"] for gpu in gpus if isinstance(gpu, dict) and "name" in gpu]
        cpu, cores = plain_line(known.get("cpu") or "", 60), plain_line(known.get("cpu_cores_usable") or "?", 10)
        text = words("tables.cpu", cpu=cpu, cores=cores) if cpu else words("tables.unknown_machine")
        names.append(plain_line(f"{len(gpus)} x {gpus[0]}", 60) if gpus else text)
    return [name for name, _ in Counter(names).most_common()]


def _intervals(study: Study, words: Words) -> list[str]:
    """How the intervals against the baseline were found: the pooled deviation with its degrees of freedom, and which
    rows are judged by their own."""
    found = against_baseline(study)
    if found is None:
        return []
    notes, n = [], len(found.differences)
    if not all(each.own_scatter for each in found.differences.values()):
        notes.append(words("tables.notes.pooled", n=n, std=percent(found.std), df=found.df))
    rows = [compared(study)[place] for place in sorted(found.apart)]
    for key, apart in (
        ("own_scatter", [row.label for row in rows if row.n >= 3]),
        ("two_runs", [row.label for row in rows if row.n < 3]),
    ):
        if apart:
            notes.append(words(f"tables.notes.{key}", rows=words("findings.separator").join(apart), n=n))
    return notes


def _own_recipes(study: Study, words: Words) -> list[str]:
    """A sentence for each row whose design brings a recipe of its own: in what it differs from the baseline's."""
    home, table, found = _named(study.baseline), recipe_table(study, words), []
    others = [key for key in study.declared if key.partition(".")[0] not in GROUPS]
    for place, row in enumerate(study.rows[1:], 2):
        if changed_words(setting(row.runs[0]), setting(study.baseline.runs[0]), study.declared):
            shown = recipe_changes([(line[0], line[place], line[1]) for line in table.rows], words)
            changes = words("findings.comma").join(filter(None, [shown, *changed_words(_named(row), home, others)]))
            fields = {"row": row.label, "baseline": study.baseline.label, "changes": changes}
            found.append(words("tables.notes.own_recipe", **fields))
    return found


def _named(row: Row) -> dict[str, Any]:
    """The row's setting, with the choices that were recorded for its groups: two of one module have one short name."""
    run = row.runs[0]
    found = setting(run)
    return found | {group: name for group, name in run.choices.items() if group in found}
