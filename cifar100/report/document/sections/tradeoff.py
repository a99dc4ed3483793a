"""Accuracy set against what it costs."""

from __future__ import annotations

from cifar100.report.document.content import Content
from cifar100.report.document.document import Bullets, Section
from cifar100.report.figures.tradeoff import COSTS, pareto, tradeoff_figure


def tradeoff(content: Content) -> Section:
    rows = content.main.rows
    figures = [
        content.figure(
            f"tradeoff-{cost.removesuffix('_s')}",
            content.line(f"tradeoff.caption_{cost}"),
            lambda cost=cost: tradeoff_figure(rows, cost, content.figure_words),
        )
        for cost in _costs(content)
    ]
    untimed = content.paragraph("tradeoff.no_latency") if "latency_s" not in _costs(content) else None
    fronts = Bullets(tuple((sentence,) for sentence in front_sentences(content)))
    return content.heading("tradeoff.heading", content.paragraph("tradeoff.text"), fronts, *figures, untimed)


def front_sentences(content: Content) -> list[str]:
    """Which rows no other one beats by the means, a sentence for each cost."""
    return [
        content.line(f"tradeoff.{cost}", rows=content.listed([row.label for row in pareto(content.main.rows, cost)]))
        for cost in _costs(content)
    ]


def _costs(content: Content) -> list[str]:
    """The costs that all rows have; a front of some rows would say nothing of the others."""
    return [cost for cost in COSTS if all(getattr(row, cost) is not None for row in content.main.rows)]
