"""Structured pruning: a trained network's channels that weigh most, in a network of the same recipe with fewer."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cifar100.base.errors import UserError
from cifar100.base.text import one_line
from cifar100.deploy.extra import require

ATTENTION = {"softmax", "scaled_dot_product_attention"}
CURE = "use pruning=magnitude (method=magnitude), or train it anew with narrower widths"


def prune_channels(wide: nn.Module, narrow: nn.Module, *, norm: int = 2) -> dict[str, Tensor]:
    """The weights of ``wide`` for ``narrow``, a network of the same recipe with narrower widths.

    Of each group of channels that go together, through shortcuts, norms and the layers behind, those stay whose
    weights have the largest norm (DepGraph, arXiv 2301.12900, by torch-pruning). The networks stay as they are.

    Args:
        wide: a trained network.
        narrow: has its modules under the same names.
        norm: of a channel's weights, 1 or 2.

    Raises:
        UserError: torch-pruning is missing or cannot take the network apart, or its channels do not go together as
            the narrower recipe has them.
    """
    if norm not in (1, 2) or isinstance(norm, bool):
        raise UserError(f"pruning.norm={norm} must be 1 or 2")
    for name in ("in_channels", "num_classes"):
        theirs, ours = getattr(wide, name), getattr(narrow, name)
        if theirs != ours:
            raise UserError(f"pruning=channels keeps {name}, which is {theirs} in init_from and {ours} here")
    library = require("pruning=channels", "torch_pruning")
    pruned = copy.deepcopy(wide).to("cpu", memory_format=torch.contiguous_format).eval().requires_grad_(True)
    image = torch.zeros(1, pruned.in_channels, pruned.resolution, pruned.resolution)
    _check_operators(pruned, image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importance = library.importance.GroupMagnitudeImportance(p=norm)
            ratios, kept = _ratios(pruned, narrow)
            pruner = library.pruner.BasePruner(
                pruned, image, importance, pruning_ratio=0.0, pruning_ratio_dict=ratios, ignored_layers=kept
            )
            pruner.step()
    except Exception as error:  # of the library, wherever the network is not what it knows
        raise UserError(f"pruning=channels cannot take this network apart ({one_line(error)[:120]}); {CURE}") from error
    _check_shapes(pruned, narrow)
    return pruned.state_dict()


def _ratios(wide: nn.Module, narrow: nn.Module) -> tuple[dict[nn.Module, float], list[nn.Module]]:
    """The share of each layer's output channels that goes, and the layers that keep theirs, such as the classifier."""
    theirs, ratios, kept = dict(narrow.named_modules()), {}, []
    for name, module in wide.named_modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        before, after = len(module.weight), len(theirs[name].weight) if name in theirs else 0
        if after == before:
            kept.append(module)
        else:
            ratios[module] = 1 - (after + 0.5) / before  # the library rounds what is left down
    return ratios, kept


class _Operators(TorchFunctionMode):
    """Notes the names of the functions that are called within it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.names.add(getattr(function, "__name__", ""))
        return function(*args, **(kwargs or {}))


def _check_operators(network: nn.Module, image: Tensor) -> None:
    """Refuses attention over positions or branches, through which the library follows channels without end."""
    with torch.no_grad(), _Operators() as seen:
        network(image)
    if found := sorted(seen.names & ATTENTION):
        raise UserError(f"pruning=channels cannot follow channels through {found[0]}; {CURE}")


def _check_shapes(pruned: nn.Module, narrow: nn.Module) -> None:
    theirs, ours = ({name: tuple(t.shape) for name, t in each.state_dict().items()} for each in (pruned, narrow))
    for name in {**ours, **theirs}:
        if theirs.get(name) != ours.get(name):
            found, wanted = (each.get(name, "not there") for each in (theirs, ours))
            raise UserError(f"pruning=channels makes {name} {found}, where model.widths have {wanted}; {CURE}")
