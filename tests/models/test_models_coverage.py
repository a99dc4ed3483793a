"""Any combination trains a step at 32x32, or is refused when built with the reason and the cure."""

import random
from collections import Counter
from functools import partial
from itertools import combinations, product

import pytest
import torch
from torch import nn

from cifar100.config import CONF
from cifar100.models.shape import Shape

INSIDE = ("block", "mixer", "attention", "norm", "activation")
FACTORS = (*INSIDE, "stem", "stage")
BASE = ("model=resnet20", "model.depths=[1,2,1]", "model.widths=[8,16,32]")


def choices() -> dict[str, list[str]]:
    return {group: sorted(file.stem for file in (CONF / group).glob("*.yaml")) for group in FACTORS}


def pairs(combination: dict[str, str]) -> set[tuple]:
    """Every two choices that meet in a combination."""
    return set(combinations(sorted(combination.items()), 2))


def covering(values: dict[str, list[str]], generator: random.Random, apart: tuple = ()) -> list[dict[str, str]]:
    """Combinations in which every two choices of different groups meet at least once, but for those of two groups that
    are both ``apart``; greedy: each begins with two that have not met, and takes in each further group a choice that
    meets most others for the first time."""
    single = [(group, choice) for group in values for choice in values[group]]
    missing = {
        tuple(sorted(pair))
        for pair in combinations(single, 2)
        if pair[0][0] != pair[1][0] and not {pair[0][0], pair[1][0]} <= set(apart)
    }
    found = []
    while missing:
        combination = dict(generator.choice(sorted(missing)))
        for group in generator.sample([*values], len(values)):
            if group not in combination:
                order = generator.sample(values[group], len(values[group]))
                fresh = [len(pairs(combination | {group: choice}) & missing) for choice in order]
                combination[group] = order[fresh.index(max(fresh))]
        missing -= pairs(combination)
        found.append(combination)
    return found


def draw(values: dict[str, list[str]], count: int, generator: random.Random) -> list[dict[str, str]]:
    return [{group: generator.choice(values[group]) for group in values} for _ in range(count)]


def try_all(combinations, make_network, check_step, check_refusal, base=BASE) -> tuple[int, Counter, list[str]]:
    """How many were built and trained, what the others were refused for, and what broke the law."""
    built, refused, broken = 0, Counter(), []
    for combination in combinations:
        typed = [*base, *(f"{group}={choice}" for group, choice in combination.items())]
        try:
            network = make_network(*typed)
        except ValueError as error:
            refused[str(error)] += 1
            broken += failure(check_refusal, error, typed)
        except Exception as error:
            broken.append(f"{' '.join(typed)}: not built: {type(error).__name__}: {error}")
        else:
            built += 1
            broken += failure(check_step, network, typed)
    return built, refused, broken


def failure(check, subject, typed) -> list[str]:
    try:
        check(subject)
    except Exception as error:
        return [f"{' '.join(typed)}: {type(error).__name__}: {error}"]
    return []


@pytest.mark.parametrize(("apart", "extra"), [(INSIDE, 0), pytest.param((), 500, marks=pytest.mark.slow)])
def test_every_combination_trains_or_is_refused(apart, extra, make_network, check_step, check_refusal):
    """What a block is made of meets in :func:`test_every_two_parts_of_a_block_go_together`, without a network."""
    generator = random.Random(0)
    drawn = covering(choices(), generator, apart) + draw(choices(), extra, generator)
    built, refused, broken = try_all(drawn, make_network, check_step, check_refusal)
    print(f"{len(drawn)} combinations, {built} built, {refused.total()} refused", *refused.most_common(), sep="\n")
    assert not broken, "\n".join(broken)
    assert built >= 0.9 * len(drawn), f"{built} of {len(drawn)} built: {refused.most_common()}"


def test_every_two_parts_of_a_block_go_together(make_port, check_gradients, check_refusal):
    """Where the shape changes and where it stays; or the block refuses them."""
    values = {group: choices()[group] for group in INSIDE}
    ports = {(group, name): make_port(group, f"{group}={name}") for group in INSIDE for name in values[group]}
    refused, broken = 0, []
    for combination, shape in product(covering(values, random.Random(0)), (Shape(16, 32, 2, 8), Shape(16, 16, 1, 8))):
        typed = [f"{group}={name}" for group, name in combination.items()]
        block, *parts = (ports[group, combination[group]] for group in INSIDE)
        try:
            module = assembled(block, dict(zip(INSIDE[1:], parts, strict=True)), shape)
        except ValueError as error:
            refused += 1
            broken += failure(check_refusal, error, typed)
        else:
            broken += failure(partial(check_block, shape=shape, check_gradients=check_gradients), module, typed)
    assert not broken, "\n".join(broken)
    assert refused < 50


def assembled(block, parts, shape: Shape) -> nn.Module:
    """The block with these parts, the mixer with those of its own that it has ports for."""
    own = {name: part for name, part in parts.items() if parts["mixer"].keywords.get(name)}
    return block(shape, 0.0, **parts | {"mixer": partial(parts["mixer"], **own)})


def check_block(module: nn.Module, shape: Shape, check_gradients) -> None:
    out = module(torch.randn(2, shape.in_channels, 8, 8))
    assert out.shape == (2, shape.out_channels, shape.out_resolution, shape.out_resolution)
    (out * torch.randn(out.shape)).sum().backward()
    check_gradients(module)


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_recipe_takes_other_primitives(every, compose, slim, make_network, check_step, check_refusal):
    """A recipe sets no option that another choice of the group lacks: one random combination for each recipe, or, in
    the slow test, each choice of each group at least once."""
    generator = random.Random(0)
    values = choices() | {
        group: sorted(file.stem for file in (CONF / group).glob("*.yaml")) for group in ("head", "init")
    }
    broken = []
    for recipe in sorted(file.stem for file in (CONF / "model").glob("*.yaml")):
        small = [f"model={recipe}", f"model.depths={[1] * len(compose(f'model={recipe}').model.depths)}"]
        small += slim(recipe)
        drawn = once(values, generator) if every else draw(values, 1, generator)
        broken += try_all(drawn, make_network, check_step, check_refusal, small)[2]
    assert not broken, "\n".join(broken)


def once(values: dict[str, list[str]], generator: random.Random) -> list[dict[str, str]]:
    """As few combinations as hold each choice at least once."""
    longest = max(map(len, values.values()))
    columns = {}
    for group, found in values.items():
        order = generator.sample(found, len(found))
        columns[group] = [order[index % len(order)] for index in range(longest)]
    return [{group: column[index] for group, column in columns.items()} for index in range(longest)]


def test_all_pairs_are_covered():
    values = {"a": ["1", "2", "3"], "b": ["1", "2"], "c": ["1", "2", "3", "4"]}
    found = covering(values, random.Random(0))
    met = set().union(*map(pairs, found))
    assert len(met) == 3 * 2 + 3 * 4 + 2 * 4
    assert 12 <= len(found) < 3 * 2 * 4
