"""Every choice in conf/optimizer and conf/scheduler: builds, trains, and continues from its state bitwise."""

import functools
import itertools
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn

CONF = Path(__file__).parents[2] / "conf"
OPTIMIZERS = sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml"))
SCHEDULERS = sorted(path.stem for path in (CONF / "scheduler").glob("*.yaml"))
RELATIVE_STEP = ("optimizer.relative_step=true", "optimizer.lr=null", "optimizer.beta1=0.9")


@functools.cache
def build(group: str, choice: str, *overrides: str):
    with initialize_config_dir(str(CONF.resolve()), version_base="1.3"):
        config = compose(overrides=[f"+{group}={choice}", *overrides])
    return instantiate(config)[group]


def stored(state: dict) -> dict:
    """An optimizer's state as a checkpoint gives it back: tensors contiguous, everything else through JSON."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict] = {}
    for index, entries in state["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{key}"] = value.contiguous()
            else:
                plain.setdefault(str(index), {})[key] = value
    tensors = safetensors.torch.load(safetensors.torch.save(tensors))
    document = json.loads(json.dumps({"plain": plain, "param_groups": state["param_groups"]}))
    restored = {int(index): dict(entries) for index, entries in document["plain"].items()}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        restored.setdefault(int(index), {})[key] = tensor
    return {"state": restored, "param_groups": document["param_groups"]}


def train(network: nn.Module, optimizer, scheduler, steps) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        images = torch.randn(8, 3, 8, 8, generator=generator)
        loss = nn.functional.cross_entropy(network(images), torch.arange(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()


CASES = [(optimizer, scheduler, (), True) for optimizer, scheduler in itertools.product(OPTIMIZERS, SCHEDULERS)]
CASES += [(optimizer, "cosine", (), False) for optimizer in OPTIMIZERS]
CASES += [
    ("adafactor", "constant", RELATIVE_STEP, True),
    ("adafactor", "linear", RELATIVE_STEP, False),
    ("adamw", "cosine", ("scheduler.warmup_epochs=1.3",), False),
    ("sgd", "cosine", ("optimizer.nesterov=true", "optimizer.decay_norm_and_bias=false"), True),
    ("sgd", "cosine", ("optimizer.momentum=0",), True),
]


@pytest.mark.parametrize(("optimizer_name", "scheduler_name", "overrides", "channels_last"), CASES)
def test_continued_equals_uninterrupted_bitwise(make_network, optimizer_name, scheduler_name, overrides, channels_last):
    def start():
        network = make_network(channels_last)
        optimizer = build("optimizer", optimizer_name, *(o for o in overrides if o.startswith("optimizer")))(network)
        schedule = build("scheduler", scheduler_name, *(o for o in overrides if o.startswith("scheduler")))
        return network, optimizer, schedule(optimizer, num_training_steps=6, steps_per_epoch=3)

    network, optimizer, scheduler = start()
    before = [parameter.detach().clone() for parameter in network.parameters()]
    train(network, optimizer, scheduler, range(6))
    assert all(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))

    first, optimizer, scheduler = start()
    train(first, optimizer, scheduler, range(3))
    weights = {name: value.clone() for name, value in first.state_dict().items()}
    optimizer_state, scheduler_state = stored(optimizer.state_dict()), json.dumps(scheduler.state_dict())

    second, optimizer, scheduler = start()
    second.load_state_dict(weights)
    optimizer.load_state_dict(optimizer_state)
    scheduler.load_state_dict(json.loads(scheduler_state))
    assert [group["lr"] for group in optimizer.param_groups] == scheduler.get_last_lr()
    train(second, optimizer, scheduler, range(3, 6))

    for a, b in zip(network.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b) and a.isfinite().all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_yaml_spells_the_defaults_of_the_function(make_network, name):
    """What Python does unasked is what the YAML says."""
    network = make_network()
    built = build("optimizer", name)
    assert OmegaConf.load(CONF / "optimizer" / f"{name}.yaml")._partial_ is True
    plain = [{k: v for k, v in g.items() if k != "params"} for g in built.func(network).param_groups]
    assert [{k: v for k, v in g.items() if k != "params"} for g in built(network).param_groups] == plain


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedule_yaml_spells_the_defaults_of_the_function(make_network, name):
    network, curves = make_network(), []
    built = build("scheduler", name)
    assert OmegaConf.load(CONF / "scheduler" / f"{name}.yaml").warmup_epochs == 0
    for factory in (built, built.func):
        optimizer = build("optimizer", "sgd")(network)
        scheduler = factory(optimizer, 120, 2)
        curves.append([])
        for _ in range(120):
            curves[-1].append(scheduler.get_last_lr())
            optimizer.step()
            scheduler.step()
    assert curves[0] == curves[1]


def test_adamw_part_of_muon_follows_lr_unless_told_otherwise(make_network):
    groups = build("optimizer", "muon", "optimizer.lr=0.02")(make_network()).param_groups
    assert [group["lr"] for group in groups] == [0.02] * 3
    groups = build("optimizer", "muon", "optimizer.lr=0.02", "optimizer.adamw_lr=0.003")(make_network()).param_groups
    assert [group["lr"] for group in groups] == [0.02, 0.003, 0.003]


def test_cross_entropy_takes_indices_and_distributions():
    config = OmegaConf.create({"trainer": {"label_smoothing_factor": 0.1}})
    config.loss = OmegaConf.load(CONF / "loss" / "cross_entropy.yaml")
    loss = instantiate(config.loss)
    logits, labels = torch.randn(4, 10, dtype=torch.float64), torch.tensor([0, 3, 9, 3])
    smoothed = 0.9 * nn.functional.one_hot(labels, 10) + 0.01
    expected = -(smoothed * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss(logits, labels), expected)
    torch.testing.assert_close(loss(logits, nn.functional.one_hot(labels, 10).double()), expected)


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("sgd", {"lr": -0.1}, r"lr=-0.1 must be a finite number > 0; use for instance lr=0.1"),
        ("sgd", {"lr": float("nan")}, "lr=nan must be a finite number > 0"),
        ("sgd", {"lr": "fast"}, "lr='fast' must be a finite number"),
        ("sgd", {"lr": True}, "lr=True must be"),
        ("sgd", {"momentum": 1}, "momentum=1 must be a finite number >= 0 and < 1"),
        ("sgd", {"weight_decay": -1}, "weight_decay=-1 must be a finite number >= 0"),
        ("sgd", {"nesterov": True, "momentum": 0}, "nesterov=True needs momentum"),
        ("sgd", {"nesterov": "ture"}, "nesterov=ture must be true or false"),
        ("sgd", {"decay_norm_and_bias": 1}, "decay_norm_and_bias=1 must be true or false"),
        ("adamw", {"betas": [0.9]}, r"betas=\[0.9\] must be two numbers"),
        ("adamw", {"betas": [0.9, 1.0]}, r"betas\[1\]=1.0 must be a finite number >= 0 and < 1"),
        ("adamw", {"eps": 0}, "eps=0 must be a finite number > 0"),
        ("adafactor", {"relative_step": True}, "lr=0.001 cannot be combined with relative_step=True.*lr=null"),
        ("adafactor", {"lr": None}, "lr=None must be a finite number > 0"),
        ("adafactor", {"warmup_init": True}, "use relative_step=true lr=null"),
        ("adafactor", {"clip_threshold": 0}, "clip_threshold=0 must be"),
        ("adafactor", {"decay_rate": 0.8}, "decay_rate=0.8 must be a finite number < 0"),
        ("adafactor", {"eps": 1e-30}, "eps=1e-30 must be two numbers"),
        ("muon", {"ns_steps": 0}, "ns_steps=0 must be"),
        ("muon", {"ns_steps": 2.5}, "ns_steps=2.5 must be a whole number"),
        ("muon", {"adjust_lr_fn": "none"}, "adjust_lr_fn='none' is unknown; use one of original"),
        ("muon", {"adamw_betas": 0.9}, "adamw_betas=0.9 must be two numbers"),
        ("muon", {"adamw_modules": "stem"}, "adamw_modules='stem' must be a list"),
    ],
)
def test_bad_options_are_refused_in_one_line(make_network, name, option, message):
    with pytest.raises(ValueError, match=message) as error:
        build("optimizer", name)(make_network(), **option)
    assert "\n" not in str(error.value)
