"""The baseline: its parts with their sizes, and how it and its block are wired."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document.content import Content
from cifar100.report.document.document import FigureBlock, Ref, Section, TableBlock
from cifar100.report.document.sections.designs import drawing, equations
from cifar100.report.document.works import methods_of
from cifar100.report.figures.drawings import diagram
from cifar100.report.records.row import Row
from cifar100.report.tables.number_text import count, millions
from cifar100.report.tables.stages import Stage, stages_of, stages_table


def baseline(content: Content) -> Section:
    row = content.main.baseline
    depths = row.runs[0].network.get("depths")
    depths = depths if isinstance(depths, list) else []
    fields: dict[str, Any] = {
        "row": row.label,
        "stages": len(depths),
        "depths": content.series([plain_line(each, 6) for each in depths]),
    }
    stages = stages_of(row)
    table = TableBlock(stages_table(row, stages, content.words)) if stages else None
    picture = _network(content, row, stages) if stages else None
    if picture:
        text = content.paragraph("baseline.text", table=Ref("stages"), figure=Ref(picture.id), **fields)
    else:
        costs = {"parameters": count(row.parameters), "macs": millions(row.macs)}
        text = content.paragraph("baseline.text_alone", **costs, **fields)
    blocks: list[Any] = [text, table, picture]
    for method in methods_of([row.runs[0].network], content.words.language):
        blocks += [*equations(content, method), drawing(content, method, "baseline.drawing")]
    shown = picture or next((block for block in blocks if isinstance(block, FigureBlock)), None)
    slide = content.slide("baseline", "slide.baseline", table or shown, row=row.label)
    return content.heading("baseline.heading", *blocks, slides=[slide])


def _network(content: Content, row: Row, stages: list[Stage]) -> FigureBlock | None:
    words, network = content.words, row.runs[0].network
    texts = {"image": words("drawings.image", channels=3, size=_size(network.get("resolution")))}
    for number, stage in enumerate(stages):
        key = "stem" if stage.name == "stem" else "head" if stage.name == "head" else "stage"
        size = _size(stage.output[-1])
        fields = {"number": number, "depth": stage.depth, "channels": stage.output[0], "size": size}
        texts[stage.name] = words(f"drawings.{key}", classes=stage.output[0], **fields)
    caption = content.line("baseline.network", row=row.label)
    return content.figure("network", caption, lambda: diagram({"": [" > ".join(texts)]}, texts))


def _size(pixels: Any) -> str:
    text = plain_line(pixels, 8)
    return f"{text}×{text}"
