"""What the rows of a table are called: as their runs are labelled, or by what sets them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from cifar100.base.conf import default_choices
from cifar100.base.text import plain_line
from cifar100.report.records.baseline import Group, default_baseline
from cifar100.report.records.parts import ORDER, Parts, differences, parts, varying
from cifar100.report.records.run import Run
from cifar100.report.records.setting import changed_words, setting

MAX_LENGTH = 80


def row_labels(
    groups: Sequence[Group], reference: int, mixed: Collection[str], declared: Collection[str] = ()
) -> list[str]:
    """A label for each row, no two alike.

    Args:
        groups: the runs of each row.
        reference: the row that derived labels say the difference to.
        mixed: the recipe's keys that differ; a row whose recipe is not the reference's says how.
        declared: those that differ by declaration; a row says how where its label is not its own.
    """
    derived = _derived([group[0] for group in groups], reference)
    labels = [next((run.label for run in group if run.label), derived[index]) for index, group in enumerate(groups)]
    home, counts = setting(groups[reference][0]), Counter(labels)
    for index, group in enumerate(groups):
        is_named = counts[labels[index]] == 1 and any(run.label for run in group)
        keys = [*mixed] if is_named else [*mixed, *declared]
        labels[index] = _with(labels[index], changed_words(setting(group[0]), home, keys))
    return _numbered(_told_apart(labels, [group[0] for group in groups]))


def _derived(runs: Sequence[Run], reference: int) -> list[str]:
    all_parts = [parts(run.network) for run in runs]
    options = varying(all_parts)
    return [_derive(index, runs, all_parts, options, reference) for index in range(len(runs))]


def _derive(index: int, runs: Sequence[Run], all_parts: list[Parts], options: set[Any], reference: int) -> str:
    """The recipe of conf/model where it is another, then the differences to the plainest row that has it."""
    model = runs[index].choices.get("model")
    if index == reference:
        return ", ".join([model or "baseline", *_unusual(runs[index], all_parts[index], options)])
    words = []
    if model and model != runs[reference].choices.get("model"):
        alike = [each for each, run in enumerate(runs) if run.choices.get("model") == model]
        reference = alike[default_baseline([(runs[each],) for each in alike])]
        words = [model]
    ours, theirs = runs[index].choices, runs[reference].choices
    names = {port: name for port, name in ours.items() if name != theirs.get(port)}
    words += differences(all_parts[index], all_parts[reference], options, names)
    return ", ".join(words) or model or "baseline"


def _unusual(run: Run, ours: Parts, options: set[Any]) -> list[str]:
    """What the reference itself has other than the program's defaults; a recipe of conf/model says that by its name."""
    usual = default_choices()
    changed = {key: name for key, name in run.choices.items() if key in ORDER and name != usual.get(key, name)}
    if not changed or run.choices.get("model") != usual["model"]:
        return []
    return differences(ours, {part: each for part, each in ours.items() if part[0] not in changed}, options, changed)


def _with(label: str, words: Sequence[str]) -> str:
    """The label, cut where the words need the place, and the words in parentheses."""
    if not words:
        return label
    told = plain_line(", ".join(words), MAX_LENGTH - 3 - min(len(label), MAX_LENGTH // 2))
    return f"{plain_line(label, MAX_LENGTH - len(told) - 3)} ({told})"


def _told_apart(labels: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """Adds to each label that several rows have what sets its row apart from the others of them."""
    told = list(labels)
    for label, count in Counter(labels).items():
        if count > 1:
            alike = [index for index, each in enumerate(labels) if each == label]
            networks = [parts(runs[index].network) for index in alike]
            options = varying(networks)
            for place, index in enumerate(alike):
                other = networks[0 if place else 1]
                told[index] = _with(label, differences(networks[place], other, options, {}))
    return told


def _numbered(labels: Sequence[str]) -> list[str]:
    """Cut to what fits, and numbered where two are still the same."""
    used: set[str] = set()
    numbered = []
    for label in labels:
        cut, number = plain_line(label, MAX_LENGTH), 1
        name = cut
        while name in used:
            number += 1
            name = f"{cut} ({number})"
        used.add(name)
        numbered.append(name)
    return numbered
