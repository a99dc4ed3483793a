"""The comparison of all rows: accuracy, cost, and the change to the baseline."""

from __future__ import annotations

from cifar100.report.document.words import Words
from cifar100.report.records.study import Study
from cifar100.report.tables.columns import Columns
from cifar100.report.tables.table import Table
from cifar100.report.tables.table_notes import table_notes

MAIN = ("row", "n", "top1", "top5", "parameters", "macs", "change", "verdict", "train_s")
ABLATION = ("row", "n", "top1", "change", "verdict", "parameters", "macs")
STATISTICS = (
    "row", "seeds", "top1_mean", "top1_std", "change_mean", "change_low", "change_high", "p", "verdict",
)  # fmt: skip


def main_table(study: Study, words: Words, id: str = "main") -> Table:
    """Every row with all that the study compares."""
    title = words("tables.main", study=study.name, baseline=study.baseline.label)
    return Columns(study, words).table(id, title, MAIN, table_notes(study, words, times=True))


def ablation_table(study: Study, words: Words, id: str | None = None) -> Table:
    """Every row of one ablation: accuracy, change and size. Its id is `ablation-<study>` unless another is given."""
    title = words("tables.ablation", study=study.name, baseline=study.baseline.label)
    return Columns(study, words).table(id or f"ablation-{study.name}", title, ABLATION, table_notes(study, words))


def statistics_table(study: Study, words: Words, id: str = "statistics") -> Table:
    """The means, deviations and tests behind the main table, with the seeds."""
    title = words("tables.statistics", study=study.name, baseline=study.baseline.label)
    return Columns(study, words).table(id, title, STATISTICS, (words("tables.notes.statistics"),))
