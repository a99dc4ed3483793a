"""Trains one network, or with -m a sweep: python train.py model=resnet20 attention=eca seed=0"""

import hydra
from omegaconf import DictConfig

from cifar100.command import job, run
from cifar100.config import CONF


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def main(config: DictConfig) -> float | None:
    from cifar100 import app

    return job(app.train, config)


if __name__ == "__main__":
    run(main)
