"""The chapter on trained networks put to use: INT8, exported files, pruning, distillation, transfer; from records."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cifar100.record.fields import NONE
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.document import Bullets, Ref, Section, TableBlock
from cifar100.report.document.report import Report
from cifar100.report.figures.pruning import pruning_figure
from cifar100.report.records.deployment import deployed, is_pruned, is_taught, is_transferred, number, sparsity, speedup
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row, Study
from cifar100.report.tables.number_text import count, interval, millions, percent, points
from cifar100.report.tables.table import Cell, Table, table_of

INT8 = ("float_top1", "int8_top1", "change", "p", "float_kb", "int8_kb", "speed_1", "speed_64", "float_layers")
PRUNED = ("row", "n", "top1", "sparsity", "nonzero", "parameters", "macs")
BESIDE = ("before_top1", "after_top1", "change", "p", "before_macs", "after_macs", "speed_1", "speed_64")
FORMATS = ("onnx", "torch_export")
TOLERATED_LOSS = 0.01  # of top-1, as in the records


def deployment(report: Report) -> Section | None:
    """The chapter; None where no record of these is there."""
    pruned = [study for study in report.studies if any(map(is_pruned, study.rows))]
    studies = [_pruned(report, study, place) for place, study in enumerate(pruned, 1)]
    found = [_int8(report), _exported(report), *studies, _beside(report), _learnt(report)]
    if not any(found):
        return None
    return report.section("deployment.heading", report.paragraph("deployment.text"), sections=found)


def _int8(report: Report) -> Section | None:
    found = deployed(report.rows(), "quantization")
    rows = []
    for row, run, each in found:
        layers = each.get("layers")
        left = layers.get("float") if isinstance(layers, dict) else None
        cells = [_cell(percent, number(each, f"{name}.test/top1")) for name in ("float", "int8")] + _paired(each)
        cells += [_cell(_kilobytes, number(each, f"{name}.bytes")) for name in ("float", "int8")] + _speeds(each)
        rows.append((*_run(row, run), *cells, Cell(str(len(left)), len(left)) if isinstance(left, list) else NONE))
    losing = [
        f"{row.label} ({run.seed})" for row, run, each in found if number(each, "difference.top1") < -TOLERATED_LOSS
    ]
    verdict = report.line("deployment.losing", rows=report.series(losing)) if losing else report.line("deployment.kept")
    return _section(report, "int8", ("row", "seed", *INT8), rows, verdict=verdict)


def _exported(report: Report) -> Section | None:
    rows = []
    for row, run, each in deployed(report.rows(), "export"):
        for name in FORMATS:
            size, difference = (number(each, f"{name}.{key}") for key in ("bytes", "largest_difference"))
            if math.isfinite(size):
                rows.append((*_run(row, run), name, _cell(_kilobytes, size), _cell("{:.0e}".format, difference)))
    return _section(report, "exported", ("row", "seed", "format", "kb", "logit_difference"), rows, paired=False)


def _pruned(report: Report, study: Study, place: int) -> Section:
    """The table of a study's pruned rows, of its baseline and of rows as large, and accuracy over what is left."""
    sizes = {row.macs for row in study.rows if is_pruned(row)}
    rows = []
    for row in (row for row in study.rows if row is study.baseline or row.macs in sizes):
        top1, left = summarize(row.values("top1")), number(row.runs[0].summary, "nonzero_parameters")
        left = left if math.isfinite(left) else row.parameters
        cells = [Cell(percent(top1.mean, top1.std), top1.mean), _cell(percent, sparsity(row)), _cell(count, left)]
        rows.append(
            (row.label, Cell(str(row.n), row.n), *cells, _cell(count, row.parameters), _cell(millions, row.macs))
        )
    id, title = f"pruned-{place}", report.words("tables.pruned", name=study.name)
    table = _right(table_of(report.words, id, title, PRUNED, rows), "row")
    caption = report.line("deployment.caption", baseline=study.baseline.label)
    figure = report.figure(f"pruning-{place}", caption, lambda: pruning_figure(study, report.words))
    text = report.paragraph("deployment.pruned", table=Ref(id), figure=Ref(f"pruning-{place}"))
    title = report.line("deployment.pruned_heading", name=study.name)
    return report.section("", text, TableBlock(table), figure, title=title, id=f"study-{id}")


def _beside(report: Report) -> Section | None:
    rows = []
    for row, run, each in deployed(report.rows(), "pruning"):
        cells = [_cell(percent, number(each, f"{name}.test/top1")) for name in ("before", "after")] + _paired(each)
        cells += [_cell(millions, number(each, f"{name}.macs")) for name in ("before", "after")]
        rows.append((*_run(row, run), *cells, *_speeds(each)))
    return _section(report, "beside", ("row", "seed", *BESIDE), rows)


def _learnt(report: Report) -> Section | None:
    """Where the results of distillation and transfer stand: in the tables of the studies that hold such runs."""
    tables = ["main", *(f"ablation-{place}" for place, _ in enumerate(report.ablations, 1))]
    found = [
        report.text(f"deployment.{name}", table=Ref(id))
        for id, study in zip(tables, report.studies, strict=True)
        for name, learns in (("distillation", is_taught), ("transfer", is_transferred))
        if any(map(learns, study.rows)) and not any(map(is_pruned, study.rows))
    ]
    return report.section("deployment.learnt_heading", Bullets(tuple(found)), id="learnt") if found else None


def _section(
    report: Report, name: str, keys: Sequence[str], rows: Iterable[Any], *, paired: bool = True, **fields: Any
) -> Section | None:
    """The section of a table over runs; None where there are none."""
    if not (lines := list(rows)):
        return None
    notes = [report.words("tables.notes.paired")] if paired else []
    table = _right(table_of(report.words, name, report.words(f"tables.{name}"), keys, lines, notes), "row", "format")
    text = report.paragraph(f"deployment.{name}", table=Ref(name), **fields)
    return report.section(f"deployment.{name}_heading", text, TableBlock(table), id=f"deployed-{name}")


def _right(table: Table, *texts: str) -> Table:
    """The table with all columns but `texts` set to the right."""
    return replace(table, numeric=tuple(key not in texts for key in table.keys))


def _run(row: Row, run: Run) -> tuple[str, Cell]:
    return row.label, Cell(str(run.seed), run.seed)


def _paired(found: dict[str, Any]) -> list[Cell]:
    """The paired difference with its interval, and McNemar's p."""
    change, low, high = (number(found, f"difference.{key}") for key in ("top1", "low", "high"))
    text = f"{points(change)} {interval(low, high)}"
    return [Cell(text, change if math.isfinite(change) else None), _cell(_probability, number(found, "difference.p"))]


def _speeds(found: dict[str, Any]) -> list[Cell]:
    return [_cell("{:.2f}".format, speedup(found, size)) for size in (1, 64)]


def _cell(text: Any, value: float) -> Cell:
    return Cell(text(value), value) if math.isfinite(value) else Cell(NONE)


def _kilobytes(value: float) -> str:
    return count(value / 1e3)


def _probability(p: float) -> str:
    return "<0.001" if p < 0.0005 else f"{p:.3f}"
