"""The setting that the rows of one table must share, how networks were trained and on what they were tested; and which
rows train one and the same network, however it was typed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cifar100.base.conf import TRAINING
from cifar100.base.text import plain_line
from cifar100.base.trees import canonical, fixed_text, flat
from cifar100.base.values import is_finite
from cifar100.report.records.parts import leaf_name, readable
from cifar100.report.records.run import Run

TOLERANCE = 1e-6

MOST_KEYS = 8
MAX_VALUE = 24
EVALUATION = ("checkpoint", "precision", "data_fingerprint", "n")


def setting(run: Run) -> dict[str, Any]:
    """The recipe and the circumstances of the evaluation, by dotted key.

    A target stands under its group's own name (`optimizer`) as its dotted path; what is absent is absent.
    """
    recipe = flat(canonical(run.recipe))
    found = {key.removesuffix("._target_"): value for key, value in recipe.items() if not key.endswith("._partial_")}
    processes = {"processes": run.environment.get("processes", 1)}  # each takes a batch of its own
    return found | processes | {f"evaluation.{key}": run.evaluation.get(key) for key in EVALUATION}


def differing(settings: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The keys that do not have one value throughout, with their values in the order of first occurrence; None stands
    for a key that a setting lacks."""
    settings = list(settings)
    keys = dict.fromkeys(key for each in settings for key in each)
    found = {}
    for key in keys:
        values = {fixed_text(each[key]) if key in each else "absent": each.get(key) for each in settings}
        if len(values) > 1:
            found[key] = list(values.values())
    return found


def undeclared(
    differing: Mapping[str, list[Any]], settings: Sequence[Mapping[str, Any]], declared: Sequence[Iterable[str]]
) -> dict[str, list[Any]]:
    """Those of the `differing` keys in which rows differ although they do not declare it.

    Args:
        settings: of each row.
        declared: by row, which parts of the recipe are its design's own: keys, or what stands before a dot in them.
    """
    found = {}
    for key, values in differing.items():
        places = {key[:end] for end, character in enumerate(f"{key}.") if character == "."}
        silent = [each for each, own in zip(settings, declared, strict=True) if places.isdisjoint(own)]
        if len({fixed_text(each[key]) if key in each else "absent" for each in silent}) > 1:
            found[key] = values
    return found


def changed_words(ours: Mapping[str, Any], theirs: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """How one setting differs from another in these keys, a group's target before its options: `["optimizer adamw",
    "lr 0.001"]`. Options that only a new target has go without."""
    changed = sorted(key for key in keys if key in ours and (key not in theirs or ours[key] != theirs[key]))
    targets = {key for key in changed if "." not in key and isinstance(ours[key], str)}
    words = [f"{key} {leaf_name(ours[key])}" for key in sorted(targets)]
    for key in changed:
        group, _, name = key.partition(".")
        if key not in targets and (key in theirs or group not in targets):
            words.append(f"{name or key} {plain_line(readable(ours[key]), MAX_VALUE)}")
    return words


def refusal(path: Path, mixed: Mapping[str, Sequence[Any]], runs: Sequence[Run]) -> str:
    """One line that says which settings differ, with which values, and what to do."""
    settings = [setting(run) for run in runs]
    parts = [f"{plain_line(key, 60)} is {_values(key, settings)}" for key in list(mixed)[:MOST_KEYS]]
    more = f"; and {len(mixed) - MOST_KEYS} more" if len(mixed) > MOST_KEYS else ""
    if all(key.startswith("evaluation.") for key in mixed):
        what, cure = "was not evaluated alike", f"python evaluate.py run_dir={path} with one checkpoint and precision"
    else:
        groups = dict.fromkeys(key.partition(".")[0] for key in mixed)
        own = ",".join(group for group in groups if group in TRAINING[1:]) or "optimizer"
        what, cure = "mixes recipes", f"declare what belongs to a design, own_recipe=[{own}]"
    return f"study={path} {what}: {'; '.join(parts)}{more}. To compare them all the same: allow_mixed=true; or {cure}"


def _values(key: str, settings: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(plain_line(each[key], 40) if key in each else "absent" for each in settings)
    return " and ".join(f"{value} ({count} run{'s' if count > 1 else ''})" for value, count in counts.most_common(4))


def identical(run: Run, other: Run) -> bool:
    """Whether both trained the same function from the same distribution of starting weights by the same recipe.

    Compares `architecture` in evaluation/metrics.json (see `cifar100.evaluation.architecture`); a run
    evaluated without it is identical to none but its own configuration.
    """
    if fixed_text(run.recipe) != fixed_text(other.recipe):
        return False
    if fixed_text(run.network) == fixed_text(other.network):
        return True
    if fixed_text(run.network.get("init")) != fixed_text(other.network.get("init")):
        return False
    ours, theirs = _fingerprint(run), _fingerprint(other)
    if ours is None or theirs is None or ours[0] != theirs[0] or len(ours[1]) != len(theirs[1]):
        return False
    return all(math.isclose(a, b, rel_tol=TOLERANCE) for a, b in zip(ours[1], theirs[1], strict=True))


def _fingerprint(run: Run) -> tuple[str, list[float]] | None:
    """The digest and all probed logits, where the record holds such."""
    recorded = run.evaluation.get("architecture")
    if not isinstance(recorded, Mapping) or not isinstance(recorded.get("sha256"), str):
        return None
    logits: list[float] = []
    for name in ("train", "eval"):
        probe = recorded.get(name)
        if not isinstance(probe, Sequence) or not probe or not all(map(is_finite, probe)):
            return None
        logits += map(float, probe)
    return recorded["sha256"], logits
