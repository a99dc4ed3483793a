"""Which slides a study gets: 12 to 16 of them, whatever its size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cifar100.report.renderers.slides.closing import has_left_out
from cifar100.report.renderers.slides.costs import costs_of
from cifar100.report.renderers.slides.curves import has_curves
from cifar100.report.renderers.slides.material import Material
from cifar100.report.renderers.slides.methods import PER_PAGE, methods_in
from cifar100.report.tables.class_results import class_results

FEWEST, MOST = 12, 16
# Slides that every deck has: title, question, recipe, accuracy, limits, conclusion, references.
ALWAYS = 7


@dataclass(frozen=True)
class Plan:
    """How many slides each part gets. `data` and `left_out` without a slide are told on a neighbour's."""

    data: int
    methods: int
    networks: int
    main: int
    compared: int  # differences, trade-off
    curves: int
    ablations: int
    per_ablation: int  # ablations on one slide
    classes: int
    costs: int
    left_out: int

    @property
    def slides(self) -> int:
        parts = (self.data, self.methods, self.networks, self.main, self.compared, self.curves, self.ablations)
        return ALWAYS + sum(parts) + self.classes + self.costs + self.left_out


def plan_slides(material: Material, main_parts: int) -> Plan:
    """The fullest plan of at most MOST slides; `main_parts` is how many the main table would take."""
    rows, ablations = material.study.rows, len(material.ablations)
    plan = Plan(
        data=1,
        methods=2 if len(methods_in(material)) > PER_PAGE else 1,
        main=min(main_parts, 3),
        compared=2 if len(rows) > 1 else 0,
        curves=int(has_curves(rows)),
        ablations=ablations,
        per_ablation=1,
        classes=int(class_results(material.study) is not None),
        costs=int(len(costs_of(material, rows)[0]) > 1),
        networks=1,
        left_out=int(has_left_out(material)),
    )
    if plan.slides < FEWEST:  # that nothing was left out is said on a slide of its own
        plan = replace(plan, left_out=1)
    for change in _reductions(ablations):
        if plan.slides <= MOST:
            break
        plan = replace(plan, **{key: min(value, getattr(plan, key)) for key, value in change.items() if key != "per"})
        plan = replace(plan, per_ablation=change.get("per", plan.per_ablation))
    return plan


def _reductions(ablations: int) -> list[dict[str, int]]:
    """What gives way first. Ablations beyond the last are named, and stand in the report."""
    return [
        {"main": 2},
        {"costs": 0},
        {"networks": 0},
        {"left_out": 0},
        {"ablations": -(-ablations // 2), "per": 2},
        {"methods": 1},
        {"data": 0},
        {"ablations": -(-ablations // 3), "per": 3},
        {"main": 1},
        {"classes": 0},
        {"ablations": 5, "per": 3},
    ]
