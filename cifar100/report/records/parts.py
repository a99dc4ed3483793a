"""The parts of a resolved configuration, and in which words two of them differ."""

from collections.abc import Iterable, Mapping
from typing import Any

from cifar100.base import trees
from cifar100.base.trees import canonical, fixed_text, flat

# What a reader looks for first stands first in a label; other ports follow by name.
ORDER = ("block", "mixer", "attention", "norm", "activation", "stem", "stage", "downsample", "head", "init", "")

Part = tuple[str, str]
Parts = dict[Part, dict[str, set[str]]]


def parts(tree: Mapping[str, Any]) -> Parts:
    """Every port and target that occurs at it, with the values that each option has wherever they occur.

    The whole is at port "". `{"norm": {"_target_": "torch.nn.BatchNorm2d", "eps": 1e-5}}` has the part
    `("norm", "batchnorm2d")` with `{"eps": {"1e-05"}}`.
    """
    found: Parts = {}
    _collect(tree, "", found)
    return found


def varying(all_parts: Iterable[Parts]) -> set[tuple[Part, str]]:
    """The options that do not have the same values in all configurations that hold their part."""
    seen: dict[tuple[Part, str], set[frozenset[str]]] = {}
    for each in all_parts:
        for part, options in each.items():
            for key, values in options.items():
                seen.setdefault((part, key), set()).add(frozenset(values))
    return {option for option, values in seen.items() if len(values) > 1}


def differences(ours: Parts, theirs: Parts, options: set[tuple[Part, str]], names: Mapping[str, str]) -> list[str]:
    """How `ours` differs from `theirs`, such as `["attention eca", "kernel_size 5"]`.

    Args:
        options: those worth naming, of `varying`.
        names: by port, what a target is called there instead of its own name.
    """
    found: list[str] = []
    order = {port: place for place, port in enumerate(ORDER)}
    for part in sorted(ours, key=lambda part: (order.get(part[0], len(order)), part)):
        port, leaf = part
        new = part not in theirs
        if new and port:
            found.append(f"{port} {names.get(port, leaf)}")
        for key, values in sorted(ours[part].items()):
            known = theirs.get(part, {}).get(key)
            if (part, key) in options and (new or known != values):
                prefix = "" if new or not port else f"{port} "
                found.append(f"{prefix}{key} {'/'.join(sorted(values))}")
    return list(dict.fromkeys(found))


def built(tree: Any) -> list[Mapping[str, Any]]:
    """Every mapping in a tree that names the class it is built of, outer ones first."""
    nodes = [tree, *(value for _, value in trees.items(tree))]
    return [node for node in nodes if isinstance(node, Mapping) and isinstance(node.get("_target_"), str)]


def leaf_name(target: Any) -> str:
    """`eca` for `cifar100.models.attention.eca.EfficientChannelAttention`, `none` for `torch.nn.Identity`."""
    leaf = trees.leaf_name(target)
    return "none" if leaf == "identity" else leaf


def readable(value: Any) -> str:
    """`5-5-5` for a list, `0.1` for a number, `null` and `true` as YAML writes them."""
    if isinstance(value, list):
        return "-".join(map(readable, value))
    return value if isinstance(value, str) else fixed_text(value)


def _collect(node: Mapping[str, Any], port: str, found: Parts) -> None:
    options = found.setdefault((port, leaf_name(node.get("_target_", ""))), {})
    for key, value in node.items():
        if key.startswith("_"):
            continue
        children = value if isinstance(value, list) else [value]
        if children and all(isinstance(child, Mapping) and "_target_" in child for child in children):
            for child in children:
                _collect(child, key, found)
        elif isinstance(value, Mapping):
            for name, each in flat(value).items():
                options.setdefault(f"{key}.{name}", set()).add(readable(canonical(each)))
        else:
            options.setdefault(key, set()).add(readable(canonical(value)))
