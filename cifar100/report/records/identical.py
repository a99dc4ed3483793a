"""Rows whose networks are one and the same, however they were typed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cifar100.base.trees import fixed_text
from cifar100.report.records.run import Run

TOLERANCE = 1e-6
_PROBES = ("train", "eval")


def identical(run: Run, other: Run) -> bool:
    """Whether both trained the same function from the same distribution of starting weights by the same recipe.

    Compares what evaluation/metrics.json says under "architecture" (see `cifar100.evaluation.architecture`); a run
    evaluated without it is identical to none but its own configuration.
    """
    if fixed_text(run.recipe) != fixed_text(other.recipe):
        return False
    if fixed_text(run.network) == fixed_text(other.network):
        return True
    if fixed_text(run.network.get("init")) != fixed_text(other.network.get("init")):
        return False
    ours, theirs = (_fingerprint(each) for each in (run, other))
    return ours is not None and theirs is not None and _agree(ours, theirs)


def _fingerprint(run: Run) -> tuple[str, list[float]] | None:
    """The digest and all probed logits, where the record holds such."""
    recorded = run.evaluation.get("architecture")
    if not isinstance(recorded, Mapping) or not isinstance(recorded.get("sha256"), str):
        return None
    logits: list[float] = []
    for name in _PROBES:
        probe = recorded.get(name)
        if not isinstance(probe, Sequence) or not probe or not all(map(_is_finite, probe)):
            return None
        logits += map(float, probe)
    return recorded["sha256"], logits


def _agree(ours: tuple[str, list[float]], theirs: tuple[str, list[float]]) -> bool:
    if ours[0] != theirs[0] or len(ours[1]) != len(theirs[1]):
        return False
    return all(math.isclose(a, b, rel_tol=TOLERANCE) for a, b in zip(ours[1], theirs[1], strict=True))


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
