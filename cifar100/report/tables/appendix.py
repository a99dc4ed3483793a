"""Where every number comes from: all runs of a study, used or left out."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.records.command import recorded_command, typed_command
from cifar100.report.records.commit import commit
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.records.study import Study
from cifar100.report.tables.table import Cell, Table

COLUMNS = ("run", "row", "seed", "state", "commit", "evaluated", "host", "ended", "command")


def runs_table(study: Study, words: Words, id: str = "runs") -> Table:
    """One line a run: id, row, seed, state, commit of training and of evaluation, host, end and command; then the runs
    that were left out, with the reason. Without such, there is no state to tell."""
    lines = [_line(row, run, words) for row in study.rows for run in row.runs]
    for each in study.left_out:
        reason = words("tables.states.left_out", reason=each.reason)
        lines.append((Cell(each.name), Cell(""), Cell(""), Cell(reason), *[Cell("")] * (len(COLUMNS) - 4)))
    recorded = all(typed_command(run) for run in study.runs)
    notes = ["commands_recorded" if recorded else "commands_from_choices", "run_ids"]
    if any("+" in cell.text for line in lines for cell in line[4:6]):
        notes.append("dirty")
    table = Table(
        id=id,
        title=words("tables.runs", study=study.name),
        columns=tuple(words(f"tables.columns.{key}") for key in COLUMNS),
        rows=tuple(lines),
        notes=tuple(words(f"tables.notes.{key}") for key in notes),
        numeric=tuple(key == "seed" for key in COLUMNS),
        keys=COLUMNS,
    )
    return table if study.left_out else table.only(*(key for key in COLUMNS if key != "state"))


def _line(row: Row, run: Run, words: Words) -> tuple[Cell, ...]:
    ended = str(run.status.get("updated") or "").replace("T", " ").removesuffix("+00:00")
    texts = (
        run.name,
        row.label,
        str(run.seed),
        words("tables.states.finished"),
        commit(run.environment),
        commit(run.evaluation),
        plain_line(run.status.get("host") or "", 60),
        plain_line(ended, 25),
        typed_command(run) or recorded_command(run),
    )
    return tuple(Cell(text, run.seed if key == "seed" else None) for key, text in zip(COLUMNS, texts, strict=True))
