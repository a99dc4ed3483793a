"""Where every number comes from: all runs of a study, used or left out."""

from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.records.provenance import commit, recorded_command, typed_command
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.table import Cell, Table, table_of

COLUMNS = ("run", "row", "seed", "state", "commit", "evaluated", "host", "ended", "command")


def runs_table(study: Study, words: Words, id: str = "runs") -> Table:
    """One line a run: id, row, seed, state, commit of training and of evaluation, host, end and command; then the runs
    that were left out, with the reason. Without such, there is no column for the state."""
    lines = [_line(row, run, words) for row in study.rows for run in row.runs]
    for each in study.left_out:
        reason = words("tables.states.left_out", reason=each.reason)
        lines.append((each.name, "", "", reason, *[""] * (len(COLUMNS) - 4)))
    recorded = all(typed_command(run) for run in study.runs)
    notes = ["commands_recorded" if recorded else "commands_from_choices", "run_ids"]
    if any("+" in text for line in lines for text in line[4:6]):
        notes.append("dirty")
    texts = [words(f"tables.notes.{key}") for key in notes]
    table = table_of(words, id, words("tables.runs", study=study.name), COLUMNS, lines, texts)
    return table if study.left_out else table.without("state")


def _line(row: Row, run: Run, words: Words) -> tuple[Cell | str, ...]:
    ended = str(run.status.get("updated") or "").replace("T", " ").removesuffix("+00:00")
    return (
        run.name,
        row.label,
        Cell(str(run.seed), run.seed),
        words("tables.states.finished"),
        commit(run.environment),
        commit(run.evaluation),
        plain_line(run.status.get("host") or "", 60),
        plain_line(ended, 25),
        typed_command(run) or recorded_command(run),
    )
