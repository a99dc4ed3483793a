"""Whatever stands in a run directory: it is opened, or refused in one line, and nothing of it runs."""

import copy
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import cifar100
from cifar100.config import recipe
from cifar100.evaluation.bounded import outline
from cifar100.evaluation.open_run import open_run
from cifar100.record import RunDirectory

SECRET = "cifar100_pwned"
RECIPE = recipe(cifar100.compose(["data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]"]))
TARGETS = [
    "os.system", "builtins.exec", "torch.load", "torch.hub.load", "cifar100.models.network.torch.load",
    "hydra.utils.instantiate", "pathlib.Path.write_text", "torch.nn.ReLU", "torch.nn.BatchNorm2d", "torch.nn.Linear",
    "cifar100.models.network.Network", "cifar100.models.block.basic.Basic", "", ".", "a.b", "${oc.env:CIFAR100_SECRET}",
]  # fmt: skip
KEYS = ["_target_", "_partial_", "_args_", "_recursive_", "_convert_", "norm", "widths", "depths", "${oc.env:HOME}", ""]
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 7, 65536, 65537, 10**9, 2**63, -(10**30), 0.5, float("inf"), float("nan")])
LEAVES = st.none() | st.booleans() | NUMBERS | st.sampled_from(TARGETS) | st.text(max_size=10)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)
ANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(node, at=()):
    """The paths of all nodes of a tree."""
    yield at
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


@st.composite
def altered(draw, tree):
    """The tree with some of its nodes replaced, or added beside, by anything."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(tree) if place]))
        node = tree
        for key in above:
            node = node[key]
        if isinstance(node, dict) and draw(st.booleans()):
            last = draw(st.sampled_from(KEYS))
        node[last] = draw(VALUES)
    return tree


@pytest.fixture(autouse=True)
def guarded(monkeypatch):
    """What a record must not reach: the environment's secret and the ways to run something."""
    monkeypatch.setenv("CIFAR100_SECRET", SECRET)
    for name in ("os.system", "torch.hub.load", "torch.load"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("code was run"))


def check_refusal(error: Exception) -> None:
    assert str(error).isprintable() and len(str(error)) <= 1000 and SECRET not in str(error)


@ANY
@given(altered(RECIPE["model"]))
def test_any_model_is_outlined_or_refused(model):
    try:
        assert isinstance(outline(model, "here"), nn.Module)
    except ValueError as error:
        check_refusal(error)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, record_run):
    run = record_run(tmp_path_factory.mktemp("runs") / "run")
    data = {key: value for key, value in run.config()["data"].items() if key not in ("path", "cache_dir")}
    run.write_config(run.config() | {"data": data})
    run.write_environment({"data": {"name": "digits"}})
    return run.path


def opened(run: RunDirectory, cache) -> None:
    before = {path for path in run.path.rglob("*")}
    try:
        assert open_run(run, cache_dir=str(cache)).model is not None
    except (ValueError, OSError) as error:
        check_refusal(error)
    assert before == set(run.path.rglob("*")) and not os.path.lexists("x")


@ANY
@given(st.data())
def test_any_bytes_in_any_file_open_or_are_refused(pristine, image_cache, tmp_path, data):
    run = RunDirectory(tmp_path / "run")
    shutil.rmtree(run.path, ignore_errors=True)
    shutil.copytree(pristine, run.path)
    name = data.draw(st.sampled_from(["config.yaml", "environment.json", "checkpoints/best.safetensors"]))
    content = (run.path / name).read_bytes()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    end = min(end, start + data.draw(st.sampled_from([0, 1, 8, 1000])))
    (run.path / name).write_bytes(content[:start] + data.draw(st.binary(max_size=12)) + content[end:])
    opened(run, image_cache)


@ANY
@given(altered(RECIPE))
def test_any_configuration_opens_or_is_refused(pristine, image_cache, tmp_path, config):
    run = RunDirectory(tmp_path / "run")
    shutil.rmtree(run.path, ignore_errors=True)
    shutil.copytree(pristine, run.path)
    try:
        run.write_config(config)
    except ValueError as error:
        return check_refusal(error)
    opened(run, image_cache)
