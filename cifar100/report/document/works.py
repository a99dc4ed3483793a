"""What the report cites and the theory of each method that can occur in a study, from references.yaml and methods/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from cifar100.base.text import plain_line
from cifar100.base.trees import flat
from cifar100.report.document.words import unfolded

FOLDER = Path(__file__).parent
_PORTS = tuple(f"cifar100.models.{port}." for port in ("attention", "mixer", "block", "stage"))
# What needs no text of its own: the plain convolutions, the usual stages, and the block that papers share.
PLAIN = {
    "cifar100.models.mixer.conv.ConvMixer",
    "cifar100.models.mixer.depthwise.DepthwiseMixer",
    "cifar100.models.block.metaformer.MetaFormerBlock",
    "cifar100.models.stage.strided.StridedStage",
    "cifar100.models.stage.separate.SeparateStage",
}


@dataclass(frozen=True)
class Work:
    """A cited work. `source` is where it appeared, `url` its preprint, where there is one."""

    key: str
    authors: str
    title: str
    year: int
    source: str
    url: str | None


@dataclass(frozen=True)
class Method:
    """One method of the study, in one language.

    `background` says where it comes from, `text` how it works, `place` how it enters the network here, `argument` why a
    hybrid of this study should help; all but `text` may be "". `equations` are pairs of LaTeX and what its symbols
    mean. `drawing` has the lines of its diagrams by panel, see figures/drawings.py, and `options` what those of its
    parts that occur are built with. `targets` are the classes that it is made of.
    """

    name: str
    title: str
    text: str
    equations: tuple[tuple[str, str], ...]
    references: tuple[str, ...]
    background: str
    place: str
    argument: str
    hybrid: bool
    drawing: Mapping[str, Sequence[str]]
    options: Mapping[str, Any]
    targets: tuple[str, ...]


@lru_cache
def load_works() -> dict[str, Work]:
    entries = yaml.safe_load((FOLDER / "references.yaml").read_text(encoding="utf-8"))
    return {key: _work(key, entry) for key, entry in entries.items()}


def methods_of(networks: Iterable[Mapping[str, Any]], language: str) -> list[Method]:
    """The methods that occur in resolved networks, found by the names of what they are built of, in the order in which
    the report tells them."""
    used = [(part, network) for network in networks for part in _parts(network)]
    names = {part["_target_"] for part, _ in used}
    found = []
    for name, entry in _entries().items():
        fitting = [(part, network) for part, network in used if _occurs(entry, part)]
        if fitting:
            shown = entry.get("example", {}).items()
            first = next((each for each in fitting if all(each[0].get(k) == v for k, v in shown)), fitting[0])
            targets = tuple(target for target in entry["targets"] if target in names)
            found.append(_method(name, entry, *first, targets, language))
    return found


def _method(
    name: str,
    entry: Mapping[str, Any],
    part: Mapping[str, Any],
    network: Mapping[str, Any],
    targets: tuple[str, ...],
    language: str,
) -> Method:
    options = {"attention": entry.get("short", "ECA")}
    for tree in (network, part):  # its own options win, the outer before the inner
        for key, value in sorted(flat(tree).items(), key=lambda item: -item[0].count(".")):
            options[key.rpartition(".")[2]] = value
    drawing = entry.get("drawing", {})
    while "option" in drawing:
        chosen = options.get(drawing["option"])
        drawing = drawing[chosen if isinstance(chosen, str) and chosen in drawing else drawing["default"]]
    return Method(
        name,
        entry["title"][language],
        unfolded(entry["text"][language]),
        tuple((each["latex"], unfolded(each["where"][language])) for each in entry["equations"]),
        tuple(entry["references"]),
        *(unfolded(entry[key][language]) if key in entry else "" for key in ("background", "place", "argument")),
        entry.get("hybrid", False),
        drawing,
        options,
        targets,
    )


def untold(networks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of attentions, mixers, blocks and stages in the networks that no text tells of, such as new ones."""
    told = {target for entry in _entries().values() for target in entry["targets"]}
    targets = dict.fromkeys(part["_target_"] for network in networks for part in _parts(network))
    unknown = [target for target in targets if target.startswith(_PORTS) and target not in told | PLAIN]
    return [plain_line(target.rpartition(".")[2], 60) for target in unknown]


@lru_cache
def _entries() -> dict[str, dict[str, Any]]:
    files = (FOLDER / "methods").glob("*.yaml")
    entries = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    return dict(sorted(entries.items(), key=lambda item: item[1]["order"]))


def _parts(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in the network that names what is built from it."""
    if isinstance(tree, Mapping):
        if isinstance(tree.get("_target_"), str):
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from _parts(each)


def _occurs(entry: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    if part["_target_"] not in entry["targets"]:
        return False
    options = entry.get("options", {})
    return all(_is_above(part.get(name), bound["above"]) for name, bound in options.items())


def _is_above(value: Any, bound: float) -> bool:
    return isinstance(value, int | float) and value > bound


def _work(key: str, entry: Mapping[str, Any]) -> Work:
    arxiv = entry.get("arxiv")
    url = f"https://arxiv.org/abs/{arxiv}" if arxiv else None
    return Work(key, entry["authors"], entry["title"], entry["year"], entry["in"], url)
