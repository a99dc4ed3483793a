"""Repositories that anybody may have pushed: each is refused in one line, and nothing of it stays."""

import io
import json
import pickle
import re
import struct
import zipfile

import pytest
import torch
from safetensors.torch import load as parse
from safetensors.torch import save


def about(files, **changes):
    """config.json and config.yaml with a model that is altered at dotted places, such as stem__norm."""
    content = json.loads(files["config.json"])
    for place, value in changes.items():
        *path, last = place.split("__")
        node = content["model"]
        for key in path:
            node = node[key]
        node[last] = value
    return {"config.json": json.dumps(content).encode()}


def plain(files, **changes):
    return {"config.json": json.dumps(json.loads(files["config.json"]) | changes).encode()}


def weights(files, change):
    tensors = parse(files["model.safetensors"])
    change(tensors)
    return {"model.safetensors": save(tensors)}


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    return file.getvalue()


class Bomb:
    def __reduce__(self):
        return pytest.exit, ("the pickle was read",)


def header(length, text=b"{}"):
    return struct.pack("<Q", length) + text


CLAIM = json.dumps({"head.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
LAUGHS = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nmodel: *c\n"
EXEC, OPEN = {"_target_": "os.system", "command": "true"}, {"_target_": "builtins.open", "_args_": ["x", "w"]}
HOSTILE = {
    "a shell": (lambda f: about(f, stem=EXEC), "not a primitive"),
    "a nested open": (lambda f: about(f, stage__block__norm=OPEN), "not a primitive"),
    "an alias to torch.load": (
        lambda f: about(f, head={"_target_": "cifar100.models.network.torch.load", "f": "x"}), "not a primitive"
    ),
    "a partial chain": (
        lambda f: about(f, head={"_target_": "functools.partial", "_args_": [EXEC]}), "not a primitive"
    ),
    "arguments by place": (lambda f: about(f, stem___args_=[1]), "_args_"),
    "the environment": (lambda f: about(f, depths="${oc.env:CIFAR100_SECRET}"), "holds '\\${'"),
    "the environment as a key": (lambda f: about(f, **{"${oc.env:CIFAR100_SECRET}": 1}), "holds '\\${'"),
    "a gigantic width": (lambda f: about(f, widths=[4, 4, 10**9]), "1000000000"),
    "wide enough for terabytes": (lambda f: about(f, widths=[65536, 65536, 65536]), "more than 268435456 param"),
    "wide feature maps of few weights": (lambda f: about(f, stem_width=65536), "a layer makes 4194304 values"),
    "the same where a size is claimed that images do not have": (
        lambda f: about(f, stem_width=65536, resolution=4), "a layer makes 1048576 values",
    ),
    "a gigantic multiplier": (lambda f: about(f, width_multiplier=1e7), "config.json: "),
    "a gigantic depth": (lambda f: about(f, depths=[10**12, 1, 1]), "1000000000000"),
    "many blocks": (lambda f: about(f, depths=[65536, 1, 1]), "2000 blocks"),
    "a million entries": (lambda f: about(f, depths=[1] * 200_000), "more than 10000 entries|2000 blocks"),
    "a network that does not fit itself": (lambda f: about(f, resolution=1), "config.json: "),
    "a class too few": (lambda f: plain(f, class_names=["0"]), "as many entries"),
    "classes of terminal codes": (lambda f: plain(f, class_names=["\x1b[31m"] * 10), "no name"),
    "a deviation of zero": (lambda f: plain(f, std=[0.0]), "std is 0"),
    "no number": (lambda f: {"config.json": f["config.json"].replace(b'"epoch": 1', b'"epoch": NaN')}, "NaN"),
    "another format": (lambda f: plain(f, format=2), "format 1"),
    "JSON without end": (lambda f: {"config.json": DEEP}, "nested"),
    "JSON that is none": (lambda f: {"config.json": b"\x80\x04."}, "no valid JSON"),
    "YAML laughs": (lambda f: {"config.yaml": LAUGHS}, "aliases are refused"),
    "a YAML tag": (lambda f: {"config.yaml": b"a: !!python/object/apply:os.system ['true']"}, "tag .* is refused"),
    "another network in config.yaml": (
        lambda f: {"config.yaml": f["config.yaml"].replace(b"- 8", b"- 9")}, "describe different networks"
    ),
    "a pickle": (lambda f: {"model.safetensors": pickle.dumps(Bomb())}, "is a pickle"),
    "a zipped pickle": (lambda f: {"model.safetensors": zipped()}, "is a pickle"),
    "a header of terabytes": (lambda f: {"model.safetensors": header(2**42)}, "no whole safetensors"),
    "tensors of terabytes": (lambda f: {"model.safetensors": header(len(CLAIM), CLAIM)}, "no whole safetensors"),
    "a header that is no JSON": (lambda f: {"model.safetensors": header(4, b"\xff" * 8)}, "no whole safetensors"),
    "cut weights": (lambda f: {"model.safetensors": f["model.safetensors"][:-4]}, "no whole safetensors"),
    "no bytes": (lambda f: {"model.safetensors": b""}, "no whole safetensors"),
    "a wrong shape": (lambda f: weights(f, lambda t: t.update({min(t): torch.ones(3)})), "float32 .3,., not"),
    "doubles": (lambda f: weights(f, lambda t: t.update({k: v.double() for k, v in t.items()})), "float64"),
    "a tensor too few": (lambda f: weights(f, lambda t: t.popitem()), "it lacks"),
    "a tensor too many": (lambda f: weights(f, lambda t: t.update(evil=torch.ones(1))), "it has besides evil"),
    "compiled names": (
        lambda f: weights(f, lambda t: t.update({f"_orig_mod.{k}": t.pop(k) for k in list(t)})), "it lacks"
    ),
    "a summary of lists": (lambda f: {"summary.json": b"[1]"}, "summary.json: holds a list"),
    "an environment twice": (lambda f: {"environment.json": b'{"a": 1, "a": 2}'}, "given twice"),
    "epochs that fall": (lambda f: {"metrics.jsonl": b'{"epoch": 2}\n{"epoch": 1}\n'}, "epoch 1 follows"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_repository_is_refused_in_one_line(hub, files, refused, monkeypatch, change, told):
    monkeypatch.setenv("CIFAR100_SECRET", "cifar100_pwned")
    hub.put("ada/net", files | change(files))
    line = refused()
    assert re.search(told, line), line
