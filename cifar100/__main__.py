"""The commands of an installed wheel: cifar100 train model=resnet20, or python -m cifar100 train model=resnet20"""

import re
import sys
from collections.abc import Callable
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from cifar100.base.errors import MISTYPED
from cifar100.base.text import near, one_line
from cifar100.command import job, parted, run
from cifar100.config import CONF

COMMANDS = {
    "train": "train one network, or with -m a sweep",
    "evaluate": "evaluate recorded runs on the test images",
    "report": "report a study: tables, figures, a report and slides",
    "predict": "classify pictures of your own",
    "demo": "a page in the browser to try networks on",
    "export": "write a trained network as ONNX or torch.export's archive",
    "quantize": "make a trained network INT8, and measure what it loses and gains",
    "prune": "make a trained network smaller by pruning and fine-tuning, and measure what it loses and gains",
    "runs": "list runs: state, accuracies, epoch of epochs, time left",
    "hub": "push: a run or a study to the Hugging Face Hub; pull: a network from there",
}
OWN = {"prune": ("run_dir", "method", "amount", "widths", "multiple", "threads", "repeats")}  # its others are train's
# The option that an argument without = is a value of.
NAMED_ALONE = {"predict": "images", "runs": "run_dir", "demo": "run_dir"}


def main(arguments: list[str], program: str = "python -m cifar100") -> None:
    """Runs the command that comes first in ``arguments``, flags such as -m aside, the others its overrides; lists the
    commands without one."""
    _, others = parted(arguments)
    if not others or others[0] not in COMMANDS:
        listing = "\n".join(f"  {program} {name} ...  {purpose}" for name, purpose in COMMANDS.items())
        text = f"Commands; each explains itself with --help:\n{listing}"
        if not arguments or arguments[0] in ("--help", "-h", "help"):
            print(text)
            sys.exit(0)
        typed = one_line((others or arguments)[0])
        print(f"{typed} is no command{near(typed, COMMANDS)}\n{text}", file=sys.stderr)
        sys.exit(MISTYPED)
    name, arguments = others[0], list(arguments)
    arguments.remove(name)
    if name == "hub" and others[1:2] in (["push"], ["pull"]):
        name = "pull" if others[1] == "pull" else name
        arguments.remove(others[1])
    options = overrides(arguments, NAMED_ALONE.get(name))
    sys.argv = [f"{program} {name}", *(passed_on(options, OWN[name]) if name in OWN else options)]

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)
    def command(config: DictConfig) -> float | None:
        return job(_task(name), config)

    run(command)


def overrides(arguments: list[str], option: str | None) -> list[str]:
    """The arguments with those that have no ``=``, such as files and folders, gathered as the values of ``option``."""
    if option is None:
        return arguments
    flags, others = parted(arguments)
    alone, named = ([each for each in others if ("=" in each) == bool(kind)] for kind in (0, 1))
    return [*flags, *named, f"{option}={_listed(alone)}"] if alone else arguments


def passed_on(arguments: list[str], own: tuple[str, ...]) -> list[str]:
    """The arguments, those that set other options than a command's ``own`` and hydra's gathered as values of train."""
    flags, others = parted(arguments)
    passed = [each for each in others if not re.match(rf"[+~]*({'|'.join(own)}|hydra\b[^=]*)=", each)]
    kept = [each for each in others if each not in passed]
    return [*flags, *kept, f"train={_listed(passed)}"] if passed else arguments


def _listed(values: list[str]) -> str:
    """A list in hydra's grammar whose values are taken literally."""
    quoted = ["'{}'".format(each.replace("\\", "\\\\").replace("'", "\\'")) for each in values]
    return f"[{','.join(quoted)}]"


def _task(name: str) -> Callable[[DictConfig], Any]:
    """The function that carries out a command. Those that need no torch do not wait for it to be imported."""
    if name == "runs":
        from cifar100.sweep.listing import runs as plain
    elif name == "report":
        from cifar100.report.build import build_report as plain
    else:
        from cifar100 import app

        return getattr(app, name)

    def task(config: DictConfig) -> None:
        plain(**OmegaConf.to_container(config))

    return task


def console() -> None:
    """The console command that an installed wheel brings."""
    main(sys.argv[1:], "cifar100")


if __name__ == "__main__":
    main(sys.argv[1:])
