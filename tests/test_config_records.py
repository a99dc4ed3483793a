"""Records are data from anywhere: whole ones are built, hostile and damaged ones refused in one line."""

import copy
import json

import pytest
import torch
from omegaconf import OmegaConf

from cifar100 import config as config_module
from cifar100.config import CONF, ConfigError, load_model, recipe


def target(name, **options):
    return {"_target_": name, **options}


def partial(name, **options):
    return {"_target_": name, "_partial_": True, **options}


BATCH_NORM = partial("torch.nn.BatchNorm2d", eps=1e-5, momentum=0.1)
RELU, IDENTITY = partial("torch.nn.ReLU"), partial("torch.nn.Identity")
MIXER = partial("cifar100.models.mixer.conv.ConvMixer", kernel_size=3)
BLOCK = partial(
    "cifar100.models.block.basic.BasicBlock",
    **{"mixer": MIXER, "norm": BATCH_NORM, "activation": RELU, "attention": IDENTITY, "shortcut": "projection"},
)
RESNET = {
    "model": target(
        "cifar100.models.network.Network",
        stem=partial("cifar100.models.stem.conv.ConvStem", kernel_size=3, norm=BATCH_NORM, activation=RELU),
        stage=partial("cifar100.models.stage.strided.StridedStage", block=BLOCK),
        head=partial("cifar100.models.head.linear.LinearHead", norm=None, activation=None, bias=True),
        init=partial("cifar100.models.init.kaiming.kaiming", mode="fan_out"),
        depths=[1, 1, 1],
        widths=[16, 32, 64],
        width_multiplier=1.0,
        in_channels=3,
        num_classes=100,
        resolution=32,
    )
}


def record(**changes):
    """A record whose model is altered at dotted places, ``block__norm`` for ``block.norm``; ... removes."""
    content = copy.deepcopy(RESNET)
    for place, value in changes.items():
        *path, last = place.split("__")
        node = content["model"]
        for key in path:
            node = node[key]
        node[last] = value
    return content


PWNED = "cifar100_pwned"
HOSTILE = {
    "shell at the root": {"model": target("os.system", command="true")},
    "shell as a stem": record(stem=target("os.system", command="true")),
    "shell as a partial": record(stem=target("os.system", _partial_=True)),
    "nested in a stage": record(stage__block__norm=target("subprocess.run", args=["true"])),
    "nested in a list": record(stage=[target("os.system", command="true")]),
    "nested in a list of lists": record(depths=[[target("os.system", command="true")]]),
    "nested as an option": record(stage__block__norm__eps=target("os.getcwd")),
    "chain of partials": record(head=target("functools.partial", _args_=[target("os.system", _partial_=True)])),
    "builtins exec": record(head=target("builtins.exec", _args_=["pass"])),
    "builtins eval": record(init=target("builtins.eval", _args_=["1"], _partial_=True)),
    "hydra.utils.call": record(head=target("hydra.utils.call", config=target("os.getcwd"))),
    "hydra.utils.instantiate": record(head=target("hydra.utils.instantiate", config=target("os.getcwd"))),
    "hydra.utils.get_method": record(head=target("hydra.utils.get_method", path="os.system")),
    "hydra.utils.get_object": record(head=target("hydra.utils.get_object", path="os.system")),
    "torch.hub": record(head=target("torch.hub.load", repo_or_dir="a/b", model="c")),
    "torch.load": record(head=target("torch.load", f="weights.pt", weights_only=False)),
    "numpy.load": record(head=target("numpy.load", file="x.npy", allow_pickle=True)),
    "pathlib": record(head=target("pathlib.Path.write_text", self="x", data="y")),
    "alias through our package": record(head=target("cifar100.models.network.torch.load", f="weights.pt")),
    "alias to nn": record(head=target("cifar100.models.head.linear.nn.Linear", in_features=1, out_features=1)),
    "alias to os": record(head=target("cifar100.config.hashlib.sha256")),
    "our own loader": record(head=target("cifar100.config.load_model", config={})),
    "our own builder": record(head=target("cifar100.config.build", node=target("os.getcwd"))),
    "module of a primitive": record(head=target("cifar100.models.head.linear")),
    "method of a primitive": record(head=target("torch.nn.Identity.__init__")),
    "attribute of a primitive": record(head=target("torch.nn.BatchNorm2d.__class__")),
    "data reader": record(head=target("cifar100.data.digits.read_digits", path="/etc")),
    "optimizer": record(head=target("cifar100.optim.sgd.sgd")),
    "environment": record(stem__kernel_size="${oc.env:CIFAR100_SECRET}"),
    "environment in a target": record(stem___target_="${oc.env:CIFAR100_SECRET}"),
    "interpolated target": record(stem___target_="${stage._target_}"),
    "interpolation in a list": record(depths=["${oc.decode:1}", 1, 1]),
    "escaped interpolation": record(stem__kernel_size="\\${oc.env:CIFAR100_SECRET}"),
    "arguments by place": record(stem___args_=[1, 2]),
    "recursion": record(stage___recursive_=False),
    "conversion": record(stage___convert_="none"),
    "unknown hydra key": record(stage___mode_="x"),
    "target that is a list": record(stem___target_=["os.system"]),
    "target that is a dictionary": record(stem___target_={"_target_": "os.system"}),
    "target that is a number": record(stem___target_=7),
    "target that is null": record(stem___target_=None),
    "target with blanks": record(stem___target_=" torch.nn.Identity"),
    "interpolation with lines": record(**{"stem__a\nb": "${x}\n\x1b[31m"}),
    "target in another case": record(stem___target_="torch.nn.identity"),
}
LAUGHS = [1]
for _ in range(40):
    LAUGHS = [LAUGHS, LAUGHS]
DAMAGED = {
    "nothing": {},
    "null": {"model": None},
    "text": {"model": "resnet20"},
    "list": {"model": [1]},
    "no target": {"model": {"depths": [1]}},
    "a primitive instead of a network": {"model": target("torch.nn.Identity")},
    "partial network": record(_partial_=True),
    "partial that is no truth value": record(stem___partial_="maybe"),
    "port that is called at once": record(stem___partial_=False),
    "port that is a number": record(stem=3),
    "port that is text": record(head="linear"),
    "port that is null": record(stage=None),
    "port that is another": record(stem=RESNET["model"]["init"]),
    "port without target": record(stem={"kernel_size": 3}),
    "missing option": record(depths="???"),
    "option of another": record(stem__expansion=3),
    "option without name": record(**{"stem__": 1}),
    "key that is a number": record(stem={**RESNET["model"]["stem"], 7: 7}),
    "depths as text": record(depths="abc"),
    "depths as a number": record(depths=3),
    "depths empty": record(depths=[]),
    "depths negative": record(depths=[-1, 1, 1]),
    "depths of fractions": record(depths=[1.5, 1, 1]),
    "widths of another length": record(widths=[16]),
    "widths as dictionary": record(widths={"a": 1}),
    "width zero": record(widths=[0, 0, 0]),
    "kernel as text": record(stem__kernel_size="3"),
    "multiplier not a number": record(width_multiplier=float("nan")),
    "resolution zero": record(resolution=0),
    "channels as list": record(in_channels=[3]),
    "bytes": record(stem__kernel_size=b"3"),
    "set": record(depths={1, 2}),
    "lines and terminal codes in a value": record(stage__block__shortcut="a\nb\x1b[31m"),
    "lines and terminal codes in a key": record(stem={"a\nb\x1b[31m": 1, **RESNET["model"]["stem"]}),
    "a million entries": record(depths=[1] * 1_000_000),
    "laughs": record(stem=LAUGHS),
    "itself": record(),
    "very deep": record(),
}
DAMAGED["itself"]["model"]["stem"]["norm"] = DAMAGED["itself"]["model"]
for _ in range(5000):
    DAMAGED["very deep"]["model"] = {"_target_": RESNET["model"]["_target_"], "stem": DAMAGED["very deep"]["model"]}


def test_record_is_built():
    network = load_model(record())
    torch.manual_seed(0)
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 100)


def test_every_recipe_comes_back(compose):
    for file in (CONF / "model").glob("*.yaml"):
        with torch.device("meta"):
            content = recipe(compose(f"model={file.stem}"))
            load_model(json.loads(json.dumps(content)))


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_record_is_refused_before_anything_is_built(content, monkeypatch):
    monkeypatch.setenv("CIFAR100_SECRET", PWNED)
    monkeypatch.setattr(config_module, "build", lambda *_, **__: pytest.fail("the record reached hydra"))
    with pytest.raises(ConfigError) as error:
        load_model(content)
    assert str(error.value).isprintable() and len(str(error.value)) <= 300 and PWNED not in str(error.value)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_record_is_refused_in_one_line(content):
    with pytest.raises(ConfigError) as error:
        load_model(content)
    assert str(error.value).isprintable() and len(str(error.value)) <= 300


def test_targets_are_those_of_the_model_groups():
    trusted = config_module.trusted_targets()
    assert "cifar100.models.network.Network" in trusted and "torch.nn.ReLU" in trusted
    assert not [name for name in trusted if not name.startswith(("cifar100.models.", "torch.nn."))]


def test_own_folder_of_primitives_is_admitted_by_name_only(tmp_path):
    (tmp_path / "norm").mkdir()
    (tmp_path / "norm" / "instance.yaml").write_text("_target_: torch.nn.InstanceNorm2d\n_partial_: true\n")
    content = record(stage__block__norm=target("torch.nn.InstanceNorm2d", _partial_=True))
    with pytest.raises(ConfigError, match="InstanceNorm2d"):
        load_model(content)
    assert load_model(content, [tmp_path])


def test_a_resolved_config_is_not_read_through(monkeypatch):
    """A DictConfig resolves what is read from it; its interpolations must not get that far."""
    monkeypatch.setenv("CIFAR100_SECRET", PWNED)
    content = OmegaConf.create(record(stem__kernel_size="${oc.env:CIFAR100_SECRET}"))
    with pytest.raises(ConfigError) as error:
        load_model(content)
    assert PWNED not in str(error.value)
