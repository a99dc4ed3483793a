"""The study's results from its records: python docs/results.py [README.md README.zh.md docs/models.md]

Prints Markdown: the main table, of the seeds that every design has finished and none else, and the weights that come
with the repository. In a file that is named, replaces what stands between ``<!-- study -->``, ``<!-- study-zh -->`` or
``<!-- weights -->`` and ``<!-- end -->``.
"""

import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from sections import write_sections

from cifar100.config import CONF
from cifar100.record import RunDirectory, find_runs
from cifar100.record.fields import FIELDS

CHECKOUT = Path(__file__).parents[1]
MULTIRUN = CHECKOUT / "multirun"
COLUMNS = ("top1", "top5", "parameters", "macs")
WORDS = {
    "en": ("design", "{} of {} designs have finished their first seed; the table follows when all have."),
    "zh": ("设计", "{} / {} 个设计完成了第一个种子；全部完成后在此列表。"),
}


def evaluated(folder: Path) -> list[tuple[RunDirectory, dict[str, Any], dict[str, Any]]]:
    """The runs below a folder that are finished and evaluated: each with its configuration and test metrics."""
    found = []
    for run in find_runs(folder) if folder.is_dir() else []:
        metrics = run.read_json("metrics.json") if run.state() == "finished" else None
        if metrics and metrics["checkpoint"] == "best":
            found.append((run, run.config(), metrics))
    return found


def main_rows() -> dict[str, list[tuple[RunDirectory, dict[str, Any]]]]:
    """Each design's runs of the main study by increasing seed, in the table's order, as far as there are any."""
    order = sorted(file.stem for file in (CONF / "row").glob("main_*.yaml"))
    rows, budgets = defaultdict(list), set()
    for run, config, metrics in evaluated(MULTIRUN / "main"):
        rows[config["choices"]["row"]].append((config["seed"], run, metrics))
        budgets.add(config["trainer"]["num_train_epochs"])
    if len(budgets) > 1:
        raise SystemExit(f"multirun/main mixes runs of {sorted(budgets)} epochs; one table has one budget")
    return {row: [each[1:] for each in sorted(rows[row], key=lambda each: each[0])] for row in order}


def study(language: str = "en") -> str:
    """The main table: mean and standard deviation over the seeds that all designs have; a line where there is none."""
    rows = main_rows()
    seeds = {row: {run.config()["seed"] for run, _ in runs} for row, runs in rows.items()}
    shared = set.intersection(*seeds.values())
    design, waiting = WORDS[language]
    if not shared:
        return waiting.format(sum(map(bool, seeds.values())), len(rows))
    lines = [[design, *(FIELDS[name].heading(language) for name in COLUMNS)]]
    for runs in rows.values():
        runs = [(run, metrics) for run, metrics in runs if run.config()["seed"] in shared]
        links = " ".join(f"[{run.config()['seed']}]({place(run)})" for run, _ in runs)
        cells = [f"{runs[0][0].config()['label']} ({links})"]
        for name in COLUMNS:
            values = [FIELDS[name].read(metrics) for _, metrics in runs]
            spread = statistics.stdev(values) if len(values) > 1 and name in ("top1", "top5") else float("nan")
            cells.append(FIELDS[name].text(statistics.fmean(values), spread))
        lines.append(cells)
    return table(lines)


def weights() -> str:
    """The weights that come with the repository, each with its results and size."""
    names = ("top1", "top5", "parameters", "macs")
    lines = [["network", "epochs", *(FIELDS[name].heading() for name in names), "file (KB)"]]
    for run, config, metrics in [each for folder in ("main", "reference") for each in evaluated(MULTIRUN / folder)]:
        file = run.checkpoint_path("best")
        if not file.is_file() or (folder_of(run) == "main" and config["seed"] != 0):
            continue
        cells = [FIELDS[name].text(FIELDS[name].read(metrics)) for name in names]
        size = f"{file.stat().st_size / 1000:,.0f}"
        lines.append(
            [f"[{config['label']}](../{place(run)})", str(config["trainer"]["num_train_epochs"]), *cells, size]
        )
    return table(lines)


def folder_of(run: RunDirectory) -> str:
    return run.path.parent.name


def place(run: RunDirectory) -> str:
    return run.path.relative_to(CHECKOUT).as_posix()


def table(lines: list[list[str]]) -> str:
    ruled = [lines[0], ["---", *["---:"] * (len(lines[0]) - 1)], *lines[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


SECTIONS = {"study": study, "study-zh": lambda: study("zh"), "weights": weights}


if __name__ == "__main__":
    write_sections(SECTIONS, sys.argv[1:])
