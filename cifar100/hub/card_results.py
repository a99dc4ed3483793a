"""The results on a model card, with error bars over seeds where there are any, and how far they carry."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.hub.card_metadata import data_name
from cifar100.record.fields import METRICS, Field
from cifar100.report.claims.statistics import summarize
from cifar100.report.records.facts import FEW_EPOCHS, FEW_SEEDS, is_dirty
from cifar100.report.records.row import Row
from cifar100.report.records.run import Run
from cifar100.report.renderers.markdown_text import code, escaped, markdown_table
from cifar100.report.tables.table import Cell, Table


def results(run: Run, row: Row) -> list[str]:
    """A table and the sentences that say what it shows."""
    several = row.n > 1
    columns = ["metric", "these weights"]
    columns += [f"mean ± standard deviation of {row.n} seeds", "95% interval of the mean"] if several else []
    shown = [field for field in METRICS if field.read(run.evaluation) is not None]
    rows = tuple(_line(run, row, several, field) for field in shown)
    table = Table("results", "", tuple(columns), rows, numeric=(False, *[True] * (len(columns) - 1)))
    return [markdown_table(table), _sentences(run, row)]


def _line(run: Run, row: Row, several: bool, field: Field) -> tuple[Cell, ...]:
    cells = [Cell(field.heading()), Cell(field.text(field.read(run.evaluation)))]
    if several:
        over = summarize(row.values(field.key()))
        mean, std, low, high = map(field.text, (over.mean, over.std, over.low, over.high))
        cells += [Cell(f"{mean} ± {std}"), Cell(f"[{low}, {high}]")]
    return tuple(cells)


def _sentences(run: Run, row: Row) -> str:
    evaluation = run.evaluation
    state = "best epoch by the held-out images" if evaluation.get("checkpoint") == "best" else "last epoch"
    epoch = evaluation.get("epoch")
    number = f" ({epoch})" if isinstance(epoch, int) else ""
    precision = code(plain_line(evaluation.get("precision") or "?", 20))
    text = f"Weights of the {state}{number}, seed {run.seed}, evaluated in {precision}. "
    if row.n == 1:
        return text + "There is one run, so nothing is known of how results vary with the seed."
    seeds = escaped(", ".join(map(str, row.seeds)))
    return text + (
        f"The runs with seeds {seeds} differ in nothing else. The interval is Student's t; it says where the mean over "
        "many seeds lies, not how far a single run may be from it."
    )


def limits(run: Run, row: Row) -> list[str]:
    """Sentences, without their bullets."""
    size = run.network.get("resolution")
    name = escaped(data_name(run))
    found = [
        f"It knows the {_whole(run.network.get('num_classes'))} classes of {name} and images of {_whole(size)} by "
        f"{_whole(size)} pixels only, and gives every other image one of these classes, too.",
        "It was made to compare architectures. It was not tested on other images, on altered ones, or for any use in "
        "which a mistake matters.",
    ]
    if run.config["data"].get("name") == "digits":
        found.append("Digits are 1,797 scans of 8 by 8 pixels: a data set to try a program with, not a benchmark.")
    if row.n < FEW_SEEDS:
        runs = "One run stands" if row.n == 1 else f"{row.n} runs stand"
        found.append(
            f"{runs} behind the results: differences of a few tenths of a point to other networks mean little."
        )
    epochs = run.config["trainer"].get("num_train_epochs")
    if isinstance(epochs, int | float) and epochs < FEW_EPOCHS:
        found.append(f"It was trained for {epochs:g} epochs; published results on such data take 150 to 300.")
    if is_dirty(run):
        found.append("The program's sources had changes that the recorded commit does not have.")
    return found


def _whole(value: object) -> str:
    return str(value) if isinstance(value, int) else "?"
