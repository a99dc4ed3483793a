"""Code, settings, curves, classes, explanations, and all runs."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cifar100.report.document import document as tree
from cifar100.report.document.report import Report
from cifar100.report.document.sections.designs import all_methods
from cifar100.report.document.sections.front import highest
from cifar100.report.figures.confusion import confusion_figure
from cifar100.report.figures.differences import MOST_CLASSES, classes_figure
from cifar100.report.figures.training import METRICS, designs_figure
from cifar100.report.records.evaluated import explanation
from cifar100.report.records.study import Row
from cifar100.report.tables.class_results import class_results, confused_classes
from cifar100.report.tables.class_tables import confused_table, per_class_tables
from cifar100.report.tables.runs import runs_table
from cifar100.report.tables.settings import SETTINGS, composition_table, hyperparameter_table

EXPLANATIONS = ("gradcam", "misclassified")


def appendix(report: Report) -> tree.Section:
    parts = (_code, _settings, _curves, _classes, _explained, _runs)
    return report.section("appendix.heading", sections=[part(report) for part in parts])


def _code(report: Report) -> tree.Section:
    targets = dict.fromkeys(target for method in all_methods(report) for target in method.targets)
    blocks: list[tree.Block] = []
    for target in targets:
        blocks += [tree.Paragraph((tree.Code(target.rpartition(".")[0]),)), tree.CodeBlock(source_of(target))]
    return report.section("appendix.code_heading", report.paragraph("appendix.code"), *blocks, id="code")


@lru_cache
def source_of(target: str) -> str:
    """The class of a dotted path below cifar100 as it stands in its file, without docstrings.

    Nothing is imported: the file is read. Raises LookupError for a class that is not in the file.
    """
    *modules, name = target.split(".")
    text = files("cifar100").joinpath(*modules[1:-1], f"{modules[-1]}.py").read_text(encoding="utf-8")
    found = next((each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == name), None)
    if found is None or found.end_lineno is None:
        raise LookupError(f"{target} is no class of its module")
    lines = text.splitlines()
    for each in ast.walk(found):
        if isinstance(each, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(each) is not None:
            docstring = each.body[0]
            last = docstring.end_lineno or docstring.lineno
            lines[docstring.lineno - 1 : last] = [""] * (last - docstring.lineno + 1)
    kept = "\n".join(lines[found.lineno - 1 : found.end_lineno])
    kept = re.sub(r"\n(\s*\n)+(?=(\s*)\S)", lambda gap: "\n\n" if gap[2] == "    " else "\n", kept)
    return re.sub(r":\n\n", ":\n", kept)


def _settings(report: Report) -> tree.Section:
    others = hyperparameter_table(report.main, report.words)
    shown = {tuple(key.rpartition(".")[::2]) if "." in key else (key, key) for key in SETTINGS.values()}
    rows = tuple(row for row in others.rows if (row[0].text, row[1].text) not in shown)
    others = replace(others, title=report.line("appendix.other_settings"), rows=rows)
    composition = composition_table(report.main, report.words)
    text = report.paragraph("appendix.settings", table=tree.Ref(others.id), other=tree.Ref(composition.id))
    tables = tree.TableBlock(others), tree.TableBlock(composition)
    return report.section("appendix.settings_heading", text, *tables, id="settings")


def _curves(report: Report) -> tree.Section:
    figures = []
    for metric in METRICS:
        caption = report.line(f"appendix.curves_{metric}")
        draw = lambda metric=metric: designs_figure(report.main.rows, metric, report.words)  # noqa: E731
        figures.append(report.figure(f"curves-{metric}", caption, draw))
    text = report.paragraph("appendix.curves" if any(figures) else "appendix.curves_none")
    return report.section("appendix.curves_heading", text, *figures, id="curves")


def _classes(report: Report) -> tree.Section | None:
    rows = [row for row in (report.baseline, highest(report)) if row]
    blocks, slides = [], []
    if found := confused_classes(rows):
        labels = report.listed(row.label for row in found.rows)
        caption = report.line("appendix.caption_confusion", rows=labels, n=len(found.names))
        shares = {row.label: each for row, each in zip(found.rows, found.shares, strict=True)}
        figure = report.figure("confusion", caption, lambda: confusion_figure(found.names, shares, report.words))
        pairs = tree.TableBlock(confused_table(found, report.words))
        blocks = [report.paragraph("appendix.confusion", figure=tree.Ref("confusion")), figure, pairs]
        slides = [report.slide("classes", pairs)]
    blocks += _differences(report, rows[-1])
    blocks += [tree.TableBlock(table) for table in per_class_tables(report.main, report.words)]
    if not blocks:
        return None
    return report.section("appendix.classes_heading", *blocks, id="classes-section", slides=slides)


def _differences(report: Report, row: Row) -> list[Any]:
    results, base = class_results(report.main), report.baseline
    by_class = results.differences(report.main, row) if results and row is not base else {}
    if not results or not by_class:
        return []
    fields = {"figure": tree.Ref("classes"), "row": row.label, "baseline": base.label, "classes": len(by_class)}
    blocks = [report.paragraph("appendix.differences", **fields), _bars(report, row, "classes", by_class)]
    by_superclass = results.by_superclass(by_class)
    return [*blocks, _bars(report, row, "superclasses", by_superclass)] if by_superclass else blocks


def _bars(report: Report, row: Row, id: str, values: Mapping[str, Sequence[float]]) -> tree.FigureBlock | None:
    caption = report.line(f"appendix.caption_{id}", row=row.label, baseline=report.baseline.label)
    if len(values) > MOST_CLASSES:
        caption = report.sentences([caption, report.line("appendix.caption_ends")])
    return report.figure(id, caption, lambda: classes_figure(values, report.words))


def _explained(report: Report) -> tree.Section | None:
    """The pictures of the first run that has them, of every model of the main comparison that was explained."""
    figures, slides = [], []
    for kind in EXPLANATIONS:
        for number, row in enumerate(report.main.rows):
            found = next(((run, picture) for run in row.runs if (picture := explanation(run.path, kind))), None)
            if found:
                caption = report.line(f"appendix.caption_{kind}", row=row.label, seed=found[0].seed)
                figures.append(tree.FigureBlock(f"{kind}-{number}", caption, None, found[1]))
                if kind == "gradcam" and number < 2:
                    slides.append(report.slide("classes", figures[-1], key="explained", row=row.label))
    if not figures:
        return None
    text = report.paragraph("appendix.explained", cite=tree.Cite("selvaraju2016gradcam"))
    return report.section("appendix.explained_heading", text, *figures, id="explained", slides=slides)


def _runs(report: Report) -> tree.Section:
    tables = [
        tree.TableBlock(runs_table(study, report.words, id=f"runs-{number}" if number else "runs"), small=True)
        for number, study in enumerate(report.studies)
    ]
    text = report.paragraph("appendix.runs", file=tree.Code("config.yaml"))
    return report.section("appendix.runs_heading", text, *tables, id="all-runs")
