"""Which row the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from cifar100.base.conf import default_choices
from cifar100.base.errors import UserError
from cifar100.base.text import in_order, plain_line
from cifar100.base.trees import fixed_text
from cifar100.report.records.run import Run

Group = tuple[Run, ...]


def default_baseline(groups: Sequence[Group]) -> int:
    """The index of the row whose row file comes first by name; without row files, of the row with the fewest choices
    other than the program's defaults, and among equals the first by its settings."""
    with_files = [index for index, group in enumerate(groups) if row_file(group) is not None]
    if with_files:
        return min(with_files, key=lambda index: in_order(row_file(groups[index]) or ""))
    return min(range(len(groups)), key=lambda index: (_changes(groups[index]), _settings(groups[index])))


def named_baseline(groups: Sequence[Group], labels: Sequence[str], wanted: str) -> int:
    """The index of the row that has the label or a run of the id `wanted`. Raises ValueError with near misses."""
    if wanted in labels:
        return labels.index(wanted)
    for index, group in enumerate(groups):
        if any(run.name == wanted for run in group):
            return index
    folded = [label.casefold() for label in labels]
    if folded.count(wanted.casefold()) == 1:
        return folded.index(wanted.casefold())
    names = [*labels, *(run.name for group in groups for run in group)]
    close = get_close_matches(wanted, names, n=3) or list(labels[:8])
    quoted = " or ".join(f"'{each}'" for each in close)
    raise UserError(f"baseline={plain_line(wanted, 100)!r} is no row's label and no run's id; try {quoted}")


def row_file(group: Group) -> str | None:
    """The name of the file in conf/row that the row was trained from; the first where there are several."""
    files = [run.choices["row"] for run in group if "row" in run.choices]
    return min(files, key=in_order) if files else None


def _changes(group: Group) -> int:
    choices = group[0].choices
    return sum(choices[key] != usual for key, usual in default_choices().items() if key in choices)


def _settings(group: Group) -> list[tuple[int, float, str]]:
    return in_order(fixed_text([group[0].network, group[0].recipe]))
