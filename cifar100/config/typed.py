"""Choices that a user typed and the network does not use are refused, not passed over in silence."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.base.conf import CONF, MODEL_GROUPS, PRIMITIVES, RECIPE
from cifar100.base.errors import ConfigError
from cifar100.base.trees import lookup
from cifar100.config.instantiation import build, call
from cifar100.config.tree import origins

log = logging.getLogger(__name__)
Calls = dict[str, list[tuple]]


def check_typed_choices(config: DictConfig, overrides: Iterable[str]) -> None:
    """Refuses choices, and options of choices, that no part of the network refers to, such as ``downsample=avgpool``
    where no stage has a downsample layer. Warns of a position of no attention, which a sweep may hold.

    Args:
        config: as composed, interpolations unresolved.
        overrides: as typed, ``group=choice`` or ``group.option=value``.

    Raises:
        ConfigError: with the choices that would use it.
    """
    tree = OmegaConf.to_container(config, resolve=False)
    parts = origins(tree, "model")
    used = {place for places in parts.values() for place in places}
    for override, place, option in _typed_primitives(overrides):
        if place not in used:
            raise ConfigError(
                f"{override} has no effect: no part of this network uses {place}; "
                f"leave it out, or add one that does: {', '.join(_users(place)) or 'none here'}"
            )
        if option == "attention_position" and _has_no_attention(tree, parts, place):
            log.warning("%s has no effect without an attention; add one, such as attention=eca", override)


def build_network(config: DictConfig, overrides: Iterable[str] = ()) -> Any:
    """Builds ``config.model`` and refuses typed choices that it refers to but has no occasion to use, such as
    ``downsample=avgpool`` where no stage changes the shape.

    Args:
        config: as composed.
        overrides: as typed; interpolations of ``config`` that are already resolved hide what they are about.

    Raises:
        ConfigError: what a constructor refused, or what has no effect, with a cure.
    """
    tree = OmegaConf.to_container(config, resolve=False)
    calls: Calls = {}
    factory = build(config.model, _partial_=True)
    network = call(factory, **{name: _watched(value, name, calls) for name, value in factory.keywords.items()})
    parts = origins(tree, "model")
    for override, place, option in _typed_primitives(overrides):
        made = [each for part, places in parts.items() if place in places for each in calls.get(part, ())]
        if not made:
            raise ConfigError(
                f"{override} has no effect: nothing in this network changes the shape where it would be used; "
                "leave it out, or use stage=strided or more stages (model.depths, model.widths)"
            )
        if option and _is_for_changed_shapes(tree, place, option) and all(shape.constant for shape, *_ in made):
            raise ConfigError(
                f"{override} has no effect: each block of this network keeps its shape; "
                "leave it out, or use stage=strided, whose first block changes it"
            )
    return network


def _typed_primitives(overrides: Iterable[str]) -> list[tuple[str, str, str]]:
    """For each override of a primitive: itself, where that primitive stands, which option of it is set if any."""
    found = []
    for override in overrides:
        key = override.lstrip("+~").split("=")[0]
        group, _, package = key.partition("@")
        names = (package or group).split(".")
        if names[0] in RECIPE:
            continue
        depth = next((index for index, name in enumerate(names, 1) if name in PRIMITIVES), None)
        if depth:
            found.append((override, ".".join(names[:depth]), ".".join(names[depth:])))
        elif package and group in PRIMITIVES:  # block@late_block, a block and what it brings
            found.append((override, f"{package}.{group}", ""))
    return found


def _users(place: str) -> list[str]:
    """The choices in this checkout that refer to the neighbour of that name."""
    name = place.rpartition(".")[2]
    return sorted(
        f"{file.parent.name}={file.stem}"
        for file in CONF.glob("*/*.yaml")
        if file.parent.name in MODEL_GROUPS and f"${{..{name}}}" in file.read_text(encoding="utf-8")
    )


def _has_no_attention(tree: dict[str, Any], parts: dict[str, list[str]], block: str) -> bool:
    attentions = [parts.get(f"{part}.attention", [""])[-1] for part, places in parts.items() if block in places]
    return {_target(tree, place) for place in attentions} == {"torch.nn.Identity"}


def _is_for_changed_shapes(tree: dict[str, Any], place: str, option: str) -> bool:
    """Whether the primitive at ``place`` says that it uses the option only where the shape changes."""
    from hydra.utils import get_object

    return option in getattr(get_object(_target(tree, place)), "for_changed_shapes", ())


def _target(tree: dict[str, Any], place: str) -> str:
    node = lookup(tree, place)
    return node.get("_target_", "") if isinstance(node, dict) else ""


def _watched(value: Any, part: str, calls: Calls) -> Any:
    """The factory ``value`` with every factory in it noting what it is called with under its part of the network."""
    if isinstance(value, list):
        return [_watched(each, f"{part}.{index}", calls) for index, each in enumerate(value)]
    if not isinstance(value, partial):
        return value
    options = {key: _watched(each, f"{part}.{key}", calls) for key, each in value.keywords.items()}

    def noting(*arguments: Any, **others: Any) -> Callable[..., Any]:
        calls.setdefault(part, []).append(arguments)
        return value.func(*value.args, *arguments, **options | others)

    # As a partial has, of which a block reads its mixer.
    noting.func, noting.keywords = value.func, options  # type: ignore[attr-defined]
    return noting
