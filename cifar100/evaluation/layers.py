"""The layer table: what a network consists of and where its parameters and multiply-adds are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from cifar100.base.errors import UserError
from cifar100.base.text import aligned
from cifar100.evaluation.costs import Costs, LayerCosts

_HEADER = ("module", "type", "output", "parameters", "multiply-adds")


def layer_table(costs: Costs, depth: int = 3) -> str:
    """Modules down to `depth` levels, one a line, each with all it contains; the last line has the totals.

    Neighbours that are alike, such as the equal blocks of a stage, share a line, whose figures are their sums.
    Identities and modules that were never called and own nothing are left out. Multiply-adds are for one image.
    Raises ValueError if depth < 1.
    """
    if depth < 1:
        raise UserError(f"depth={depth} must be >= 1; use depth=1 for the parts of the network only")
    lines = aligned([_HEADER, *_rows(_Tree(costs), "", "", 1, depth)], left=(0, 1, 2))
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, _totals(costs)])


class _Tree:
    """The modules of `Costs` by name, with their children."""

    def __init__(self, costs: Costs) -> None:
        self.layers = {layer.name: layer for layer in costs.layers}
        self.children: dict[str, list[str]] = {name: [] for name in self.layers}
        for name in self.layers:
            if name:
                self.children[name.rpartition(".")[0]].append(name)

    def shown(self, name: str) -> list[str]:
        """The children that have something to tell."""
        return [child for child in self.children[name] if _tells(self.layers[child])]

    def likeness(self, name: str, depth: int) -> tuple:
        """Equal for modules whose rows down to `depth` levels are equal but for numbers in their names."""
        layer, last = self.layers[name], name.rpartition(".")[2]
        parts = tuple(self.likeness(child, depth - 1) for child in self.shown(name)) if depth > 1 else ()
        return ("" if last.isdigit() else last, layer.type, layer.output_shape, layer.parameters, layer.macs, parts)


def _rows(tree: _Tree, name: str, label: str, times: int, depth: int) -> Iterator[tuple[str, ...]]:
    """The rows below module `name`, which is shown as `label` and stands for `times` modules that are alike."""
    for _, group in groupby(tree.shown(name), key=lambda child: tree.likeness(child, depth)):
        alike = list(group)
        first, last = (child.rpartition(".")[2] for child in (alike[0], alike[-1]))
        path = f"{label}{first}" if len(alike) == 1 else f"{label}{first}-{last}"
        count = times * len(alike)
        layer = tree.layers[alike[0]]
        yield _row(layer, path, count)
        if depth > 1:
            yield from _rows(tree, alike[0], f"{path}.", count, depth - 1)


def _tells(layer: LayerCosts) -> bool:
    return layer.type != "Identity" and (layer.output_shape is not None or layer.parameters > 0 or layer.macs > 0)


def _row(layer: LayerCosts, path: str, times: int) -> tuple[str, ...]:
    shape = "x".join(map(str, layer.output_shape)) if layer.output_shape is not None else "-"
    kind = f"{layer.type} ({times} alike)" if times > 1 else layer.type
    return path, kind, shape, f"{layer.parameters * times:,}", f"{layer.macs * times:,}"


def _totals(costs: Costs) -> str:
    totals = (
        f"Total: {costs.parameters:,} parameters, {costs.macs / 1e6:.1f} M multiply-adds ({costs.macs:,}) for one image"
    )
    if costs.uncounted:
        calls = ", ".join(f"{name} ({count}x)" for name, count in costs.uncounted.items())
        totals += f"\nNot in the multiply-adds, cost unknown: {calls}"
    return totals
