"""The data set, the baseline, and the methods of the study: where they come from, each one's theory, place and cost."""

from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.document import document as tree
from cifar100.report.document.report import Report, costs, ratios
from cifar100.report.document.works import Method, methods_of, undescribed
from cifar100.report.figures.drawings import Texts, diagram
from cifar100.report.records.provenance import data_names
from cifar100.report.records.study import Row
from cifar100.report.tables.stages import Stage, stages_of, stages_table

CITED = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def background(report: Report) -> tree.Section:
    shown = designs(report)
    paragraphs = [
        tree.Paragraph(
            (tree.Strong(each.title), report.line("stop"), *report.cited(each.background, each.references[:1]).text)
        )
        for each in shown
        if each.background
    ]
    others = [method.title for method in shown if not method.background]
    if others:
        paragraphs.append(report.paragraph("background.others", names=report.listed(others)))
    resnet = report.paragraph("background.resnet", cite=tree.Cite("he2015resnet"))
    return report.section(
        "background.heading",
        sections=[
            report.section("background.data_heading", *_data(report), id="data-set"),
            report.section("background.resnet_heading", resnet, id="resnet"),
            report.section("background.methods_heading", *paragraphs, id="related") if paragraphs else None,
        ],
    )


def baseline(report: Report) -> tree.Section:
    """Its parts with their sizes, and how it and its block are wired."""
    row = report.baseline
    depths = row.runs[0].network.get("depths")
    depths = depths if isinstance(depths, list) else []
    fields = {"row": row.label, "stages": len(depths), "depths": report.series([plain_line(n, 6) for n in depths])}
    table = picture = None
    text = report.paragraph("baseline.text_alone", **costs(row), **fields)
    if stages := stages_of(row):
        table, picture = tree.TableBlock(stages_table(row, stages, report.words)), _network(report, row, stages)
        text = report.paragraph("baseline.text", table=tree.Ref("stages"), figure=tree.Ref("network"), **fields)
    blocks: list[Any] = [text, table, picture]
    for method in methods_of([row.runs[0].network], report.words.language):
        if method.hybrid:  # has a chapter of its own
            continue
        blocks += [*equations(method), drawing(report, method, "baseline.drawing")]
    shown = table or next((block for block in blocks if isinstance(block, tree.FigureBlock)), None)
    return report.section("baseline.heading", *blocks, slides=[report.slide("baseline", shown, row=row.label)])


def methods(report: Report) -> tree.Section:
    """A section for each method that some design has and the baseline has not, but the study's own."""
    found = designs(report)
    unknown = undescribed(row.runs[0].network for row in report.rows())
    return report.section(
        "methods.heading",
        report.paragraph("methods.text" if found else "methods.none"),
        report.paragraph("methods.undescribed", names=report.listed(unknown)) if unknown else None,
        sections=[_method(report, method) for method in found],
    )


def all_methods(report: Report) -> list[Method]:
    return methods_of([row.runs[0].network for row in report.rows()], report.words.language)


def designs(report: Report) -> list[Method]:
    """The methods that the baseline does not have, but the study's own; those of the main comparison come first."""
    usual, ours = report.methods(report.baseline), {name for row in report.main.rows for name in report.methods(row)}
    found = [method for method in all_methods(report) if method.name not in usual and not method.hybrid]
    return sorted(found, key=lambda method: method.name not in ours)


def equations(method: Method) -> list[tree.Block]:
    return [block for latex, where in method.equations for block in (tree.Equation(latex), tree.Paragraph((where,)))]


def drawing(report: Report, method: Method, key: str = "methods.drawing") -> tree.FigureBlock | None:
    if not method.drawing:
        return None
    panels = {report.words(f"drawings.{panel}"): lines for panel, lines in method.drawing.items()}
    texts, caption = Texts(report.words, method.options), report.line(key, title=method.title)
    return report.figure(f"drawing-{method.name}", caption, lambda: diagram(panels, texts))


def example(report: Report, method: Method) -> Row | None:
    """The first design of the main comparison that has the method and the fewest others, else one of an ablation."""
    for study in report.studies:
        found = [row for row in study.rows if method.name in report.methods(row)]
        if found:
            return min(found, key=lambda row: len(report.methods(row)))
    return None


def _data(report: Report) -> list[tree.Paragraph]:
    names, shared = data_names(report.studies), report.main.shared_recipe
    found = [report.paragraph("background.mixed", names=report.listed(names))] if len(names) > 1 else []
    for name in names:
        key = f"background.{name}" if name in (*CITED, "tiny_imagenet") else "background.other"
        cite = tree.Cite(CITED[name]) if name in CITED else None
        size = {key: plain_line(shared.get(f"data.{option}", "?"), 12) for key, option in
                (("classes", "num_classes"), ("resolution", "resolution"))}  # fmt: skip
        found.append(report.paragraph(key, name=name, cite=cite, **size))
    return found


def _network(report: Report, row: Row, stages: list[Stage]) -> tree.FigureBlock | None:
    def size(pixels: Any) -> str:
        text = plain_line(pixels, 8)
        return f"{text}×{text}"

    network = row.runs[0].network
    channels = plain_line(network.get("in_channels", 3), 8)
    texts = {"image": report.words("drawings.image", channels=channels, size=size(network.get("resolution")))}
    for number, stage in enumerate(stages):
        fields = {"number": number, "depth": stage.depth, "channels": stage.output[0], "classes": stage.output[0]}
        texts[stage.name] = report.words(f"drawings.{stage.kind}", size=size(stage.output[-1]), **fields)
    caption = report.line("baseline.network", row=row.label)
    return report.figure("network", caption, lambda: diagram({"": [" > ".join(texts)]}, texts))


def _method(report: Report, method: Method) -> tree.Section:
    picture, row = drawing(report, method), example(report, method)
    has_cost = row is not None and row is not report.baseline
    cost = (
        report.paragraph("methods.cost", row=row.label, **costs(row), **ratios(row, report.baseline))
        if has_cost
        else None
    )
    shown = picture or (tree.Equation(method.equations[0][0]) if method.equations else None)
    return report.section(
        "methods",
        report.cited(method.text, method.references),
        *equations(method),
        tree.Paragraph((method.place,)) if method.place else None,
        picture,
        cost,
        title=method.title,
        id=f"method-{method.name}",
        slides=[report.slide("designs", tree.Paragraph((method.text,)), shown, title=method.title)],
    )
