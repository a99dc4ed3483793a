"""All tables of a report, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.report.document.words import Words
from cifar100.report.records.study import Study
from cifar100.report.tables.appendix import runs_table
from cifar100.report.tables.hyperparameters import composition_table, hyperparameter_table
from cifar100.report.tables.main_table import ablation_table, main_table, statistics_table
from cifar100.report.tables.per_class import per_class_tables
from cifar100.report.tables.recipe_table import recipe_table
from cifar100.report.tables.table import Table

__all__ = [
    "ablation_table",
    "composition_table",
    "hyperparameter_table",
    "main_table",
    "per_class_tables",
    "recipe_table",
    "report_tables",
    "runs_table",
    "statistics_table",
]


def report_tables(study: Study, words: Words, ablations: Sequence[Study] = ()) -> list[Table]:
    """The main study's tables and one for each ablation, each with an id of its own."""
    tables = [
        recipe_table(study, words),
        hyperparameter_table(study, words),
        composition_table(study, words),
        main_table(study, words),
    ]
    tables += [ablation_table(each, words, f"ablation-{place}") for place, each in enumerate(ablations, 1)]
    tables += per_class_tables(study, words)
    tables += [statistics_table(study, words), runs_table(study, words)]
    tables += [runs_table(each, words, f"runs-{place}") for place, each in enumerate(ablations, 1)]
    return tables
