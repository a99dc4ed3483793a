"""Where the configuration stands and what its groups are called."""

import re
from importlib.resources import files
from pathlib import Path

CHECKOUT = Path(__file__).parents[2] / "conf"
CONF = CHECKOUT if CHECKOUT.is_dir() else Path(str(files("cifar100") / "conf"))

PRIMITIVES = ("norm", "activation", "attention", "mixer", "downsample", "stem", "head", "init", "stage", "block")
MODEL_GROUPS = ("model", *PRIMITIVES)
RECIPE = ("model", "data", "augment", "loss", "optimizer", "scheduler", "trainer", "ema_decay", "seed")


def rows(*tables: str) -> str:
    """The files of conf/row that make up the tables, in their order, joined by commas as hydra sweeps them."""
    found = [sorted(file.stem for file in (CONF / "row").glob(f"{table}_[0-9]*.yaml")) for table in tables]
    return ",".join(name for names in found for name in names)


def table(row: str) -> str:
    """The table that a file of conf/row belongs to: ``ghost_eca`` for ``ghost_eca_03_primary``."""
    return re.split(r"_\d+_", row)[0]
