"""Evaluates recorded runs on the test images: python evaluate.py run_dir=multirun/<study>/<run>"""

import hydra
from omegaconf import DictConfig

from cifar100.command import job, run
from cifar100.config import CONF


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="evaluate")
def main(config: DictConfig) -> None:
    from cifar100 import app

    job(app.evaluate, config)


if __name__ == "__main__":
    run(main)
