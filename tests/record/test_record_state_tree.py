import random
from collections import Counter, OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cifar100.record import flatten_state, unflatten_state

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=5e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3, amsgrad=True),
    "muon": lambda p: torch.optim.Muon([q for q in p if q.ndim == 2]),
    "groups": lambda p: torch.optim.AdamW([{"params": p[:1], "weight_decay": 0.0}, {"params": p[1:]}]),
}
SCHEDULERS = {
    "multistep": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 2, 4]),
    "sequential": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o, [torch.optim.lr_scheduler.LinearLR(o), torch.optim.lr_scheduler.CosineAnnealingLR(o, 5)], [2]
    ),
    "lambda": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + step)),
    "onecycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
}


def _network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2, bias=False))


def _train(network, optimizer, scheduler, steps):
    for step in range(steps):
        optimizer.zero_grad()
        network(torch.full((2, 3), 0.1 * step + 1)).square().sum().backward()
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_training_goes_on_bitwise_after_a_round_trip_through_a_file(run, optimizer, scheduler):
    network = _network()
    first = OPTIMIZERS[optimizer](list(network.parameters()))
    schedule = SCHEDULERS[scheduler](first)
    _train(network, first, schedule, 3)
    weights, state = flatten_state({"o": first.state_dict(), "s": schedule.state_dict()}, "training")
    run.save_checkpoint("last", weights | {f"model.{k}": v for k, v in network.state_dict().items()}, {"tree": state})

    tensors, loaded = run.load_checkpoint("last")
    tree = unflatten_state(loaded["tree"], tensors)
    twin = _network()
    twin.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    second = OPTIMIZERS[optimizer](list(twin.parameters()))
    continued = SCHEDULERS[scheduler](second)
    second.load_state_dict(tree["o"])
    continued.load_state_dict(tree["s"])

    _train(network, first, schedule, 4)
    _train(twin, second, continued, 4)
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, other)
    assert schedule.get_last_lr() == continued.get_last_lr()


def test_random_generators_return(run):
    tree = {"python": random.getstate(), "torch": torch.get_rng_state()}
    tensors, state = flatten_state(tree, "random")
    run.save_checkpoint("last", tensors, {"random": state})
    tensors, state = run.load_checkpoint("last")
    loaded = unflatten_state(state["random"], tensors)
    expected = random.random(), torch.rand(1)
    random.setstate(loaded["python"])
    torch.set_rng_state(loaded["torch"])
    assert (random.random(), torch.rand(1)) == expected


def test_kinds_of_container_and_key_return(run):
    tree = {1: (1, [2, (3,)]), "1": Counter({5: 2}), 2.5: {}, "b": None, "__tuple__": [1], "o": OrderedDict(a=1)}
    tensors, state = flatten_state(tree, "x")
    loaded = unflatten_state(state, tensors)
    assert loaded == tree and type(loaded["1"]) is Counter and type(loaded[1][1][1]) is tuple


def test_names_that_collide_stay_apart():
    tree = {"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}, "1": torch.tensor(2), 1: torch.tensor(3)}
    tensors, state = flatten_state(tree, "x")
    assert len(tensors) == 4
    loaded = unflatten_state(state, tensors)
    assert (loaded["a.b"], loaded["a"]["b"], loaded["1"], loaded[1]) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("tree", "place"),
    [({"a": [len]}, r"x\.a\.0 is a builtin"), ({(1,): 2}, "x has a key of type tuple"), ({1, 2}, "x is")],
)
def test_what_has_no_plain_form_is_named(tree, place):
    with pytest.raises(ValueError, match=place):
        flatten_state(tree, "x")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["__tensor__", "t"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["__tensor__", "__tuple__", "__pairs__", "__counter__", "a"]), inner, max_size=2
        )
    ),
)


@given(JSON)
def test_any_data_unflattens_or_is_refused(data):
    try:
        unflatten_state(data, {"t": torch.zeros(1)})
    except ValueError as error:
        assert "\n" not in str(error)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.text(max_size=3) | st.integers() | st.sampled_from(["__tensor__", "__tuple__"]), inner, max_size=3
        )
    ),
)


@given(TREES)
def test_any_tree_returns(tree):
    import json

    tensors, data = flatten_state(tree, "x")
    loaded = unflatten_state(json.loads(json.dumps(data)), tensors)
    assert loaded == tree and repr(loaded) == repr(tree)
