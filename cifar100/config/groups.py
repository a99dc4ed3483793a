"""Where the configuration stands and what its groups are called."""

from importlib.resources import files
from pathlib import Path

CHECKOUT = Path(__file__).parents[2] / "conf"
CONF = CHECKOUT if CHECKOUT.is_dir() else Path(str(files("cifar100") / "conf"))

PRIMITIVES = ("norm", "activation", "attention", "mixer", "downsample", "stem", "head", "init", "stage", "block")
MODEL_GROUPS = ("model", *PRIMITIVES)
RECIPE = ("model", "data", "augment", "loss", "optimizer", "scheduler", "trainer", "ema_decay", "seed")
