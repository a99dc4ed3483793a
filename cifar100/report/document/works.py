"""The cited works and the theory of each method that can occur in a study, from references.yaml and methods/."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from cifar100.base.text import plain_line
from cifar100.base.trees import flat
from cifar100.report.document.words import FOLDER, in_language
from cifar100.report.records.parts import built

_PORTS = tuple(f"cifar100.models.{port}." for port in ("attention", "mixer", "block", "stage"))
# What needs no text of its own: the plain convolutions, the usual stages, and the block that papers share.
PLAIN = {
    "cifar100.models.mixer.conv.ConvMixer",
    "cifar100.models.mixer.depthwise.DepthwiseMixer",
    "cifar100.models.block.metaformer.MetaFormerBlock",
    "cifar100.models.stage.strided.StridedStage",
    "cifar100.models.stage.separate.SeparateStage",
}
TEXTS = ("title", "text", "background", "place", "argument")


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
    hybrid of this study should help; all but `text` may be "". `equations` are pairs of LaTeX and the meaning of its
    symbols. `drawing` has the lines of its diagrams by panel, see figures/drawings.py, and `options` what those of its
    parts that occur are built with. `targets` are the classes that it is made of.
    """

    name: str
    title: str
    text: str
    background: str
    place: str
    argument: str
    equations: tuple[tuple[str, str], ...]
    references: tuple[str, ...]
    hybrid: bool
    drawing: Mapping[str, Sequence[str]]
    options: Mapping[str, Any]
    targets: tuple[str, ...]


@lru_cache
def load_works() -> dict[str, Work]:
    entries = yaml.safe_load((FOLDER / "references.yaml").read_text(encoding="utf-8"))
    urls = {key: f"https://arxiv.org/abs/{each['arxiv']}" for key, each in entries.items() if "arxiv" in each}
    return {
        key: Work(key, each["authors"], each["title"], each["year"], each["in"], urls.get(key))
        for key, each in entries.items()
    }


@lru_cache
def method_entries() -> dict[str, dict[str, Any]]:
    """The files of methods/ by name, in the order in which the report tells them."""
    entries = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in (FOLDER / "methods").glob("*.yaml")}
    return dict(sorted(entries.items(), key=lambda item: item[1]["order"]))


def methods_of(networks: Iterable[Mapping[str, Any]], language: str) -> list[Method]:
    """The methods that occur in resolved networks, found by the names of what they are built of."""
    used = [(part, network) for network in networks for part in built(network)]
    targets = {part["_target_"] for part, _ in used}
    found = []
    for name, entry in method_entries().items():
        fitting = [(part, network) for part, network in used if _occurs(entry, part)]
        if not fitting:
            continue
        shown = entry.get("example", {}).items()
        part, network = next((each for each in fitting if all(each[0].get(k) == v for k, v in shown)), fitting[0])
        options = {"attention": entry.get("short", "ECA")}
        for tree in (network, part):  # its own options win, the outer before the inner
            for key, value in sorted(flat(tree).items(), key=lambda item: -item[0].count(".")):
                options[key.rpartition(".")[2]] = value
        drawing = entry.get("drawing", {})
        while "option" in drawing:
            chosen = options.get(drawing["option"])
            drawing = drawing[chosen if isinstance(chosen, str) and chosen in drawing else drawing["default"]]
        texts = [in_language(entry.get(key, ""), language) for key in TEXTS]
        equations = tuple((each["latex"], in_language(each, language)) for each in entry["equations"])
        classes = tuple(target for target in entry["targets"] if target in targets)
        references, hybrid = tuple(entry["references"]), entry.get("hybrid", False)
        found.append(Method(name, *texts, equations, references, hybrid, drawing, options, classes))  # type: ignore[call-arg]
    return found


def undescribed(networks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of attentions, mixers, blocks and stages in the networks that no file describes, such as new ones."""
    known = PLAIN.union(*(entry["targets"] for entry in method_entries().values()))
    targets = dict.fromkeys(part["_target_"] for network in networks for part in built(network))
    unknown = [target for target in targets if target.startswith(_PORTS) and target not in known]
    return [plain_line(target.rpartition(".")[2], 60) for target in unknown]


def _occurs(entry: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    bounds = [(part.get(option), each["above"]) for option, each in entry.get("options", {}).items()]
    above = all(isinstance(value, int | float) and value > bound for value, bound in bounds)
    return part["_target_"] in entry["targets"] and above
