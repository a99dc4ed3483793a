"""The combinations that work, found by building them: python docs/matrix.py [README.md docs/combinations.md]

Prints Markdown: the choices of each group; blocks against stages, mixers and the rest, where every cell is a network
composed and built at 32x32; the recipes with their costs, and which of them can be exported. In a file that is named,
replaces what stands between ``<!-- choices -->``, ``<!-- matrix -->``, ``<!-- recipes -->`` or ``<!-- exports -->`` and
``<!-- end -->``. Takes minutes, and for the exports some more; needs ``cifar100-lab[deploy]``.
"""

import sys
import warnings
from collections.abc import Callable
from functools import cache

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from sections import write_sections
from torch import nn

from cifar100.config import CONF, PRIMITIVES, build_network, check_typed_choices, register_resolvers
from cifar100.evaluation.costs import count_costs

SMALL = ("model=resnet20", "model.depths=[1,2,1]")
FITS, PARTS = "✓", ("norm", "activation", "attention", "mixer", "stem", "stage")
TRAINING = ("data", "augment", "loss", "optimizer", "scheduler", "pruning", "trainer", "tracker")


@cache
def choices(group: str) -> list[str]:
    """Those of a group, the default first."""
    found = sorted(file.stem for file in (CONF / group).glob("*.yaml"))
    default = composed().hydra.runtime.choices[group]
    return sorted(found, key=lambda choice: choice != default)


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides), return_hydra_config=True)


def network(*overrides: str) -> nn.Module:
    config = composed(*overrides)
    check_typed_choices(config, overrides)
    return build_network(config, overrides)


class Cells:
    """Builds combinations and numbers the reasons of those that are refused."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def mark(self, *overrides: str) -> str:
        """``✓``, or the number of the reason why not."""

        def build() -> None:
            with torch.device("meta"):
                network(*SMALL, *overrides)

        return self.outcome(build)

    def outcome(self, attempt: Callable[[], object]) -> str:
        """As ``mark``, of anything that refuses by a ValueError."""
        try:
            attempt()
        except ValueError as error:
            reason = str(error)
            if reason not in self.reasons:
                self.reasons.append(reason)
            return str(1 + self.reasons.index(reason))
        return FITS

    def row(self, block: str, group: str, *others: str) -> dict[str, str]:
        return {choice: self.mark(f"block={block}", f"{group}={choice}", *others) for choice in choices(group)}


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def choices_table() -> str:
    rows = [["model", ", ".join(choices("model"))]]
    rows += [[group, ", ".join(choices(group))] for group in (*PRIMITIVES, *TRAINING)]
    return table(["group", "choices, the default first"], rows)


def matrix() -> str:
    """A row for each block: cell by cell who downsamples, in words what else goes with it; then the reasons why not."""
    cells, stages, rows = Cells(), choices("stage"), []
    for block in choices("block"):
        stage = cells.row(block, "stage")
        words = [in_words(cells.row(block, group)) for group in ("mixer", "attention", "norm", "activation", "stem")]
        words.append(in_words(cells.row(block, "downsample", "stage=separate")))
        rows.append([block, *(stage[choice] for choice in stages), *words])
    header = ["block", *(f"stage={choice}" for choice in stages), "mixer", "attention", "norm", "activation", "stem"]
    return with_reasons(table([*header, "downsample"], rows), cells)


def with_reasons(text: str, cells: Cells) -> str:
    reasons = "\n".join(f"{index}. {reason}" for index, reason in enumerate(cells.reasons, 1))
    return "\n\n".join(filter(None, [text, reasons]))


def in_words(marks: dict[str, str]) -> str:
    refused = [f"{choice} ({mark})" for choice, mark in marks.items() if mark != FITS]
    return f"all but {', '.join(refused)}" if refused else f"all {len(marks)}"


def recipes() -> str:
    rows = []
    for recipe in choices("model"):
        costs = count_costs(network(f"model={recipe}").eval(), (3, 32, 32))
        found = composed(f"model={recipe}").hydra.runtime.choices
        rows.append([recipe, f"{costs.parameters:,}", f"{costs.macs / 1e6:.1f}", found["block"]])
        rows[-1] += [found[group] for group in PARTS]
    return table(["recipe", "parameters", "multiply-adds (M)", "block", *PARTS], rows)


def exports() -> str:
    """Which recipes, their weights drawn anew, can be exported with the logits that they have in PyTorch; why others
    cannot."""
    from cifar100.deploy.export import FORMATS, check_agreement, export_network, metadata

    about, cells, rows = metadata(class_names=[], mean=[], std=[], data=""), Cells(), []
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for recipe in choices("model"):
        torch.manual_seed(0)
        built = network(f"model={recipe}").eval()

        def export(format: str, built: nn.Module = built) -> None:
            check_agreement(built, export_network(built, format, about), format, images)

        rows.append([recipe, *(cells.outcome(lambda format=format: export(format)) for format in FORMATS)])
    return with_reasons(table(["recipe", *FORMATS], rows), cells)


SECTIONS: dict[str, Callable[[], str]] = {
    "choices": choices_table,
    "matrix": matrix,
    "recipes": recipes,
    "exports": exports,
}


def main(files: list[str]) -> None:
    register_resolvers()
    warnings.simplefilter("ignore")
    write_sections(SECTIONS, files)


if __name__ == "__main__":
    main(sys.argv[1:])
