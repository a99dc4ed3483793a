"""The commands of an installed wheel: python -m cifar100 train model=resnet20"""

import sys

import hydra
from omegaconf import DictConfig

from cifar100.command import job, run
from cifar100.config import CONF

COMMANDS = {
    "train": "train one network, or with -m a sweep",
    "evaluate": "evaluate recorded runs on the test images",
    "report": "report a study: tables, figures, a report and slides",
    "hub": "push: a run or a study to the Hugging Face Hub",
}


def main(arguments: list[str]) -> None:
    """Runs the command that comes first in ``arguments``, the others its overrides; lists the commands without one."""
    if not arguments or arguments[0] not in COMMANDS:
        listing = "\n".join(f"  python -m cifar100 {name} ...  {what}" for name, what in COMMANDS.items())
        print(f"Commands; each explains itself with --help:\n{listing}", file=sys.stderr if arguments else sys.stdout)
        sys.exit(2 if arguments else 0)
    name = arguments[0]
    if name == "hub" and arguments[1:2] == ["push"]:
        arguments = [name, *arguments[2:]]
    sys.argv = [f"python -m cifar100 {name}", *arguments[1:]]

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)
    def command(config: DictConfig) -> float | None:
        from cifar100 import app

        return job(getattr(app, name), config)

    run(command)


if __name__ == "__main__":
    main(sys.argv[1:])
