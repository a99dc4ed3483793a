"""The methods of the study: where they come from, and each one's theory, place and cost."""

from __future__ import annotations

from cifar100.base.text import plain_line
from cifar100.report.document.content import Content
from cifar100.report.document.document import Block, Cite, Equation, FigureBlock, Paragraph, Section, Strong
from cifar100.report.document.works import Method, methods_of, untold
from cifar100.report.figures.drawings import Texts, diagram
from cifar100.report.records.facts import data_names
from cifar100.report.records.row import Row
from cifar100.report.tables.number_text import count, millions, ratio

CITED = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def background(content: Content) -> Section:
    told = designs(content)
    known = [method for method in told if method.background]
    others = [method.title for method in told if not method.background]
    paragraphs = [
        Paragraph((Strong(each.title), content.line("stop"), *content.cited(each.background, each.references[:1]).text))
        for each in known
    ]
    if others:
        paragraphs.append(content.paragraph("background.others", names=content.listed(others)))
    cite = Cite("he2015resnet")
    parts = [
        content.heading("background.data_heading", *data(content), id="data-set"),
        content.heading("background.resnet_heading", content.paragraph("background.resnet", cite=cite), id="resnet"),
        content.heading("background.methods_heading", *paragraphs, id="related") if paragraphs else None,
    ]
    return content.heading("background.heading", sections=[part for part in parts if part])


def methods(content: Content) -> Section:
    """A section for each method that some design has and the baseline has not, but the study's own."""
    found = designs(content)
    unknown = untold(row.runs[0].network for row in content.rows())
    return content.heading(
        "methods.heading",
        content.paragraph("methods.text" if found else "methods.none"),
        content.paragraph("methods.untold", names=content.listed(unknown)) if unknown else None,
        sections=[_section(content, method) for method in found],
    )


def _section(content: Content, method: Method) -> Section:
    picture = drawing(content, method, "methods.drawing")
    blocks = [
        content.cited(method.text, method.references),
        *equations(content, method),
        *([Paragraph((method.place,))] if method.place else []),
    ]
    slide = content.slide(
        "designs", "slide.design", Paragraph((method.text,)), picture or _equation(method), title=method.title
    )
    kept = tuple(block for block in (*blocks, picture, cost(content, method)) if block is not None)
    return Section(f"method-{method.name}", method.title, kept, slides=(slide,))


def all_methods(content: Content) -> list[Method]:
    return methods_of([row.runs[0].network for row in content.rows()], content.words.language)


def designs(content: Content) -> list[Method]:
    """The methods that the baseline does not have, but the study's own; those of the main comparison come first."""
    usual = {method.name for method in methods_of([content.main.baseline.runs[0].network], content.words.language)}
    found = [method for method in all_methods(content) if method.name not in usual and not method.hybrid]
    ours = {name for row in content.main.rows for name in content.methods(row)}
    return sorted(found, key=lambda method: method.name not in ours)


def own_methods(content: Content) -> list[Method]:
    """The study's own designs."""
    return [method for method in all_methods(content) if method.hybrid]


def equations(content: Content, method: Method) -> list[Block]:
    return [block for latex, where in method.equations for block in (Equation(latex), Paragraph((where,)))]


def drawing(content: Content, method: Method, key: str) -> FigureBlock | None:
    if not method.drawing:
        return None
    caption = content.line(key, title=method.title)
    words = content.words
    panels = {words(f"drawings.{panel}"): lines for panel, lines in method.drawing.items()}
    return content.figure(f"drawing-{method.name}", caption, lambda: diagram(panels, Texts(words, method.options)))


def cost(content: Content, method: Method) -> Paragraph | None:
    """What the plainest design with the method costs, beside the main baseline."""
    row, base = example(content, method), content.main.baseline
    if row is None or row is base:
        return None
    fields = {"row": row.label, "parameters": count(row.parameters), "macs": millions(row.macs)}
    return content.paragraph("methods.cost", **fields, **ratios(row, base))


def example(content: Content, method: Method) -> Row | None:
    """The first design of the main comparison that has the method and the fewest others, else one of an ablation."""
    for study in content.studies:
        found = [row for row in study.rows if method.name in content.methods(row)]
        if found:
            return min(found, key=lambda row: len(content.methods(row)))
    return None


def ratios(row: Row, base: Row) -> dict[str, str]:
    return {
        "parameter_ratio": ratio(row.parameters, base.parameters),
        "mac_ratio": ratio(row.macs, base.macs),
    }


def data(content: Content) -> list[Paragraph]:
    names, found = data_names(content.studies), []
    if len(names) > 1:
        found.append(content.paragraph("background.mixed", names=content.listed(names)))
    for name in names:
        if name in CITED:
            found.append(content.paragraph(f"background.{name}", cite=Cite(CITED[name])))
        elif name == "tiny_imagenet":
            found.append(content.paragraph("background.tiny_imagenet"))
        else:
            shared = content.main.shared_recipe
            size = {key: plain_line(shared.get(f"data.{name}", "?"), 12) for key, name in
                    (("classes", "num_classes"), ("resolution", "resolution"))}  # fmt: skip
            found.append(content.paragraph("background.other", name=name, **size))
    return found


def _equation(method: Method) -> Equation | None:
    return Equation(method.equations[0][0]) if method.equations else None
