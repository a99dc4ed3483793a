"""Where conf/ stands, what its groups are called, and what in a configuration makes a run the run that it is."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2] / "conf"
CONF = CHECKOUT if CHECKOUT.is_dir() else Path(str(files("cifar100") / "conf"))

PRIMITIVES = ("norm", "activation", "attention", "mixer", "downsample", "stem", "head", "init", "stage", "block")
MODEL_GROUPS = ("model", *PRIMITIVES)
TRAINING = ("data", "augment", "loss", "optimizer", "scheduler", "trainer", "ema_decay")
RECIPE = ("model", *TRAINING, "seed")
# Options that change where a run reads and how fast it goes, not what it computes.
WITHOUT_EFFECT = {"data": ("path", "cache_dir"), "trainer": ("dataloader_num_workers", "disable_tqdm", "save_steps")}
# Options that came after the first records, and what they are where they change nothing: recipes leave them out then.
SINCE = {"ema_warmup": False, "swa_start": None, "early_stopping_patience": None, "init_from": None, "freeze": None}
SINCE |= {"backbone_lr_factor": 1.0, "pruning": {}}
SINCE_BELOW = {"trainer": {"max_steps": -1, "save_steps": 0}, "loss": {"class_weights": None}}
SINCE_BELOW |= {"data": {"images_per_class": None}}


def effective(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved recipe without the options that have no effect on the result."""
    found = dict(recipe)
    for key, names in WITHOUT_EFFECT.items():
        if isinstance(found.get(key), Mapping):
            found[key] = {name: value for name, value in found[key].items() if name not in names}
    return found


@cache
def default_choices() -> Mapping[str, str]:
    """The choice that conf/train.yaml makes in each group that shapes a result."""
    import yaml

    entries = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))["defaults"]
    choices = {key: value for entry in entries if isinstance(entry, dict) for key, value in entry.items()}
    return {key: value for key, value in choices.items() if key in (*MODEL_GROUPS, *TRAINING) and key != "trainer"}


def rows(*tables: str) -> str:
    """The files of conf/row that make up the tables, in their order, joined by commas as hydra sweeps them."""
    found = [sorted(file.stem for file in (CONF / "row").glob(f"{table}_[0-9]*.yaml")) for table in tables]
    return ",".join(name for names in found for name in names)


def table(row: str) -> str:
    """The table that a file of conf/row belongs to: ``ghost_eca`` for ``ghost_eca_03_primary``."""
    return re.split(r"_\d+_", row)[0]
