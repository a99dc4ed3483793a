"""Plain trees, such as resolved configurations: nested dictionaries and lists of text, numbers and nothing else."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def items(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every key and value of nested mappings, and every index and value of nested lists, outer ones first."""
    pairs = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, value in pairs:
        yield key, value
        yield from items(value)


def lookup(tree: Any, place: str) -> Any:
    """The node at `a.b.0`; None where there is none."""
    for key in place.split("."):
        if isinstance(tree, list):
            tree = tree[int(key)] if key.isdigit() and int(key) < len(tree) else None
        else:
            tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"optimizer.lr": 0.1}` for `{"optimizer": {"lr": 0.1}}`; lists stay values, an empty mapping is one, too."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found


def canonical(value: Any) -> Any:
    """`value` with whole floats as integers, so that 15 and 15.0 are one setting and one experiment."""
    if isinstance(value, Mapping):
        return {str(key): canonical(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fixed_text(value: Any) -> str:
    """The same text for equal settings, however their mappings are ordered."""
    return json.dumps(canonical(value), sort_keys=True, ensure_ascii=False)


def leaf_name(target: object) -> str:
    """`eca` for `cifar100.models.attention.eca.EfficientChannelAttention`, `cosine` for
    `cifar100.optim.schedules.cosine`, `relu` for `torch.nn.ReLU`."""
    *modules, name = str(target).split(".")
    return modules[-1] if modules and modules[0] == "cifar100" and name[:1].isupper() else name.lower()
