"""The row that the others are compared with, and the names of rows: as their runs are labelled, or by what sets them
apart."""

from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from cifar100.base.conf import default_choices
from cifar100.base.errors import UserError
from cifar100.base.text import in_order, plain_line
from cifar100.base.trees import fixed_text
from cifar100.report.records.parts import ORDER, differences, parts, varying
from cifar100.report.records.run import Run
from cifar100.report.records.setting import changed_words, setting

MAX_LENGTH = 80

Group = tuple[Run, ...]


def default_baseline(groups: Sequence[Group]) -> int:
    """The index of the row whose row file comes first by name; without row files, of the row with the fewest choices
    other than the program's defaults, and among equals the first by its settings."""
    with_files = [index for index, group in enumerate(groups) if row_file(group) is not None]
    if with_files:
        return min(with_files, key=lambda index: in_order(row_file(groups[index]) or ""))

    def place(index: int) -> tuple[int, list[tuple[int, float, str]]]:
        run, usual = groups[index][0], default_choices()
        changes = sum(name != usual.get(key, name) for key, name in run.choices.items())
        return changes, in_order(fixed_text([run.network, run.recipe]))

    return min(range(len(groups)), key=place)


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
    runs = [group[0] for group in groups]
    own = [next((run.label for run in group if run.label), None) for group in groups]
    labels = [label or derived for label, derived in zip(own, _derived(runs, reference), strict=True)]
    home, counts = setting(runs[reference]), Counter(labels)
    for index, run in enumerate(runs):
        is_named = counts[labels[index]] == 1 and own[index]
        keys = [*mixed] if is_named else [*mixed, *declared]
        labels[index] = _with(labels[index], changed_words(setting(run), home, keys))
    return _numbered(_distinguished(labels, runs))


def _derived(runs: Sequence[Run], reference: int) -> list[str]:
    """The recipe of conf/model where it is another, then the differences to the plainest row that has it."""
    networks = [parts(run.network) for run in runs]
    options, usual = varying(networks), default_choices()
    models = [run.choices.get("model") for run in runs]
    labels = []
    for index, (run, model) in enumerate(zip(runs, models, strict=True)):
        other, words = reference, []
        if index == reference:  # says what it has other than the program's defaults, where its model does not say it
            changed = {key: name for key, name in run.choices.items() if key in ORDER and name != usual.get(key, name)}
            plain = {part: each for part, each in networks[index].items() if part[0] not in changed}
            is_usual = changed and model == usual["model"]
            words = differences(networks[index], plain, options, changed) if is_usual else []
            labels.append(", ".join([model or "baseline", *words]))
            continue
        if model and model != models[reference]:
            alike = [each for each, name in enumerate(models) if name == model]
            other, words = alike[default_baseline([(runs[each],) for each in alike])], [model]
        names = {port: name for port, name in run.choices.items() if name != runs[other].choices.get(port)}
        words += differences(networks[index], networks[other], options, names)
        labels.append(", ".join(words) or model or "baseline")
    return labels


def _with(label: str, words: Sequence[str]) -> str:
    """The label, cut where the words need the place, and the words in parentheses."""
    if not words:
        return label
    added = plain_line(", ".join(words), MAX_LENGTH - 3 - min(len(label), MAX_LENGTH // 2))
    return f"{plain_line(label, MAX_LENGTH - len(added) - 3)} ({added})"


def _distinguished(labels: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """Adds to each label that several rows have what sets its row apart from the others of them."""
    found = list(labels)
    for label in (label for label, count in Counter(labels).items() if count > 1):
        alike = [index for index, each in enumerate(labels) if each == label]
        networks = [parts(runs[index].network) for index in alike]
        for place, index in enumerate(alike):
            other = networks[0 if place else 1]
            found[index] = _with(label, differences(networks[place], other, varying(networks), {}))
    return found


def _numbered(labels: Sequence[str]) -> list[str]:
    """Cut to what fits, and numbered where two are still the same."""
    numbered: list[str] = []
    for label in (plain_line(each, MAX_LENGTH) for each in labels):
        names = (f"{label} ({number})" if number > 1 else label for number in range(1, len(labels) + 2))
        numbered.append(next(name for name in names if name not in numbered))
    return numbered
