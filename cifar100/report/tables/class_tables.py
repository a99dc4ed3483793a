"""Tables by class: the most confused pairs, the hardest classes, and how many classes changed."""

from cifar100.report.claims.comparison import common_seeds
from cifar100.report.document.words import Words
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.class_results import Change, ClassResults, Confused, class_results
from cifar100.report.tables.number_text import NONE, count, percent
from cifar100.report.tables.table import Cell, Table, table_of

PAIRS, HARDEST = 10, 10
MOST_ROWS = 8


def confused_table(found: Confused, words: Words) -> Table:
    """The PAIRS of true and predicted class that the first row confuses most, with the mean number of images a run."""
    rows = [
        (*(name.replace("_", " ") for name in names), *(Cell(f"{mean:.1f}", mean) for mean in means))
        for *names, means in found.pairs[:PAIRS]
    ]
    keys, labels = ("true_class", "predicted_class"), [row.label for row in found.rows]
    return table_of(words, "confused", words("tables.confused"), keys, rows, labels=labels)


def per_class_tables(study: Study, words: Words) -> list[Table]:
    """The tables by class that the study's evaluations allow; none where they kept no results by class."""
    results = class_results(study)
    if results is None:
        return []
    changes = [(row, results.changes(study, row)) for row in study.rows[1:]]
    tables = [_hardest_table(study, results, words)]
    if any(found for _, found in changes):
        title = words("tables.class_counts", baseline=study.baseline.label)
        notes = [words("tables.notes.class_counts", classes=max(len(found) for _, found in changes))]
        keys = ("row", "higher", "lower", "equal", "distinguishable")
        lines = [_counts(study, row, found) for row, found in changes if found]
        tables.append(table_of(words, "class-counts", title, keys, lines, notes))
    return tables


def _hardest_table(study: Study, results: ClassResults, words: Words) -> Table:
    """The classes that the baseline gets right least often, with the means of the first rows."""
    rows = [row for row in study.rows if row.label in results.top1][:MOST_ROWS]
    means = [results.mean(row) for row in rows]
    classes = [index for index, n in enumerate(results.images) if n]
    lines = [
        (
            results.names[index],
            results.superclasses[index],
            Cell(count(results.images[index]), results.images[index]),
            *(Cell(percent(mean[index]), mean[index]) for mean in means),
        )
        for index in sorted(classes, key=lambda index: (means[0][index], index))[:HARDEST]
    ]
    title, notes = (
        words("tables.hardest", baseline=study.baseline.label),
        [words("tables.notes.hardest", n=study.baseline.n)],
    )
    keys, labels = ("class", "superclass", "images"), [row.label for row in rows]
    table = table_of(words, "hardest-classes", title, keys, lines, notes, labels=labels)
    has_superclasses = any(cell.text for cell in table.column("superclass"))
    return table if has_superclasses else table.without("superclass")


def _counts(study: Study, row: Row, changes: list[Change]) -> tuple[Cell, ...]:
    higher, lower = sum(each.difference > 0 for each in changes), sum(each.difference < 0 for each in changes)
    numbers = [higher, lower, len(changes) - higher - lower, sum(each.distinguishable for each in changes)]
    cells = [Cell(str(number), number) for number in numbers]
    if len(common_seeds(study, row)) < 2:
        cells[-1] = Cell(NONE)
    return (Cell(row.label), *cells)
