"""From a composed configuration to objects; run identity; what a record may name; what was typed in vain."""

from cifar100.base.conf import CONF, MODEL_GROUPS, PRIMITIVES, RECIPE
from cifar100.base.errors import ConfigError
from cifar100.config.composition import compose_quickly
from cifar100.config.instantiation import build
from cifar100.config.own_code import is_sweep, named_folders, own_folders, trusting, typed_folders
from cifar100.config.records import load_model, trusted_targets
from cifar100.config.run_identity import difference, identity, recipe, register_resolvers, run_id
from cifar100.config.typed import build_network, check_typed_choices

__all__ = [
    "CONF",
    "MODEL_GROUPS",
    "PRIMITIVES",
    "RECIPE",
    "ConfigError",
    "build",
    "build_network",
    "check_typed_choices",
    "compose_quickly",
    "difference",
    "identity",
    "is_sweep",
    "load_model",
    "named_folders",
    "own_folders",
    "recipe",
    "register_resolvers",
    "run_id",
    "trusted_targets",
    "trusting",
    "typed_folders",
]
