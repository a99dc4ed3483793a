"""The parts of a network with their outputs and sizes, as its evaluation counted them on the network as built."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cifar100.base.text import plain_line
from cifar100.base.values import is_whole
from cifar100.report.document.words import Words
from cifar100.report.records.study import Row
from cifar100.report.tables.number_text import NONE, count, millions
from cifar100.report.tables.table import Cell, Table, table_of

MOST = 16
KEYS = ("part", "blocks", "stage_channels", "stage_stride", "stage_output", "parameters", "macs")


@dataclass(frozen=True)
class Stage:
    """`name` is stem, stages.<index> or head; `output` the shape (channels, height, width) or (classes,); `depth` the
    number of blocks, "" where it has none."""

    name: str
    output: tuple[int, ...]
    depth: str
    parameters: int
    macs: int

    @property
    def kind(self) -> str:
        return "stage" if self.name.startswith("stages.") else self.name


def stages_of(row: Row) -> list[Stage]:
    """The parts in their order; none where the evaluation did not record them, or not as this program does."""
    run = row.runs[0]
    recorded, depths = run.evaluation.get("stages"), run.network.get("depths")
    if not isinstance(recorded, list) or not 3 <= len(recorded) <= MOST or not all(map(_is_stage, recorded)):
        return []
    names = ["stem", *(f"stages.{index}" for index in range(len(recorded) - 2)), "head"]
    if [each["name"] for each in recorded] != names or len(recorded[-1]["output"]) != 1:
        return []
    if any(len(each["output"]) != 3 or min(each["output"]) < 1 for each in recorded[:-1]):
        return []
    known = depths if isinstance(depths, list) and len(depths) == len(recorded) - 2 else [NONE] * (len(recorded) - 2)
    blocks = ["", *(plain_line(each, 6) for each in known), ""]
    return [
        Stage(each["name"], tuple(each["output"]), depth, each["parameters"], each["macs"])
        for each, depth in zip(recorded, blocks, strict=True)
    ]


def stages_table(row: Row, stages: Sequence[Stage], words: Words) -> Table:
    """One line a part: blocks, channels, stride, output, parameters and multiply-adds; the last line has the sums."""
    before, lines = row.runs[0].network.get("resolution"), []
    for number, stage in enumerate(stages):
        height = stage.output[-1] if stage.name != "head" else None
        stride = str(before // height) if height and isinstance(before, int) else ""
        size = f"{height} x {height}" if height else ""
        name = words(f"tables.parts.{stage.kind}", number=number)
        lines.append((name, stage.depth, str(stage.output[0]), stride, size, *_numbers(stage)))
        before = height
    lines.append((words("tables.parts.total"), *[""] * 4, *_numbers(row)))
    return table_of(words, "stages", words("tables.stages", row=row.label), KEYS, lines)


def _numbers(part: Stage | Row) -> tuple[Cell, Cell]:
    return Cell(count(part.parameters), part.parameters), Cell(millions(part.macs), part.macs)


def _is_stage(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("output"), list) or not value["output"]:
        return False
    numbers = [*value["output"], value.get("parameters"), value.get("macs")]
    return all(is_whole(each) and each >= 0 for each in numbers)
