"""Reports a study from its run directories: python report.py study=multirun/<study>"""

import hydra
from omegaconf import DictConfig, OmegaConf

from cifar100.command import job, run
from cifar100.config import CONF


def report(config: DictConfig) -> None:
    # Not through cifar100.app, which imports torch: a report needs none, and would wait seconds for it.
    from cifar100.report.build import build_report

    build_report(**OmegaConf.to_container(config))


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="report")
def main(config: DictConfig) -> None:
    job(report, config)


if __name__ == "__main__":
    run(main)
