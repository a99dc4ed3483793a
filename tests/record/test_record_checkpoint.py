import hashlib
import json
import os
import pickle
import random

import pytest
import torch
from safetensors import safe_open

from cifar100.record import RecordError
from cifar100.record.checkpoint import _PREFIX, load_tensors, save_tensors

STATE = {"epoch": 3, "best": float("-inf"), "text": 'a "quoted" 中文 \\', "rows": [{"epoch": 0, "loss": 0.1 + 0.2}]}


def _bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    names = ("float64", "float32", "bfloat16", "float16", "int64", "int32", "int16", "uint8")
    tensors = {
        name: torch.randint(0, 256, (3, 16), generator=generator, dtype=torch.uint8).view(getattr(torch, name))
        for name in names
    }
    tied = torch.randn(4, 4, generator=generator)
    return tensors | {
        "random generator": generator.get_state(),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "bool": torch.tensor([True, False]),
        "nan": torch.tensor([float("nan"), -float("inf"), -0.0]),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "expanded": torch.ones(1).expand(5),
        "tied": tied,
        "tied too": tied,
        "parameter": torch.nn.Parameter(torch.randn(2, 3, 4, 5, generator=generator)),
        'name "with" quotes, 中文': torch.ones(1),
        "channels_last": torch.randn(2, 3, 4, 5, generator=generator).to(memory_format=torch.channels_last),
        "1x1": torch.randn(4, 3, 1, 1, generator=generator).to(memory_format=torch.channels_last),
    }


def test_tensors_and_state_return_bitwise(run):
    tensors = _tensors()
    run.save_checkpoint("last", tensors, STATE)
    loaded, state = run.load_checkpoint("last")
    assert state == STATE and run.has_checkpoint("last") and not run.has_checkpoint("best")
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (loaded[name].dtype, loaded[name].shape) == (tensor.dtype, tensor.shape), name
        assert _bits(loaded[name]) == _bits(tensor.detach()), name
    assert loaded["channels_last"].stride() == tensors["channels_last"].stride()
    loaded["tied"].add_(1)
    assert not torch.equal(loaded["tied"], loaded["tied too"]), "each tensor has its own writable memory"
    assert torch.Generator().set_state(loaded["random generator"]).get_state().equal(tensors["random generator"])


def test_every_length_of_header_loads(tmp_path):
    """A header of 0x..80 bytes makes the file begin like a pickle."""
    for length in range(0, 300, 8):
        save_tensors(tmp_path / "x", {"w": torch.ones(1)}, {"text": "x" * length})
        assert load_tensors(tmp_path / "x")[1] == {"text": "x" * length}


def test_other_programs_read_it_as_safetensors(run):
    run.save_checkpoint("best", {"w": torch.eye(2)}, STATE)
    with safe_open(run.checkpoint_path("best"), "pt") as file:
        assert torch.equal(file.get_tensor("w"), torch.eye(2))


def test_equal_content_gives_equal_bytes(tmp_path):
    save_tensors(tmp_path / "a", _tensors(), STATE)
    save_tensors(tmp_path / "b", dict(reversed(_tensors().items())), STATE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["other", "../last", "last.safetensors", ""])
def test_only_two_checkpoints_exist(run, name):
    with pytest.raises(ValueError, match="must be one of last, best"):
        run.save_checkpoint(name, {}, {})
    with pytest.raises(ValueError, match="must be one of last, best"):
        run.load_checkpoint(name)


@pytest.mark.parametrize("state", [{"t": torch.zeros(1)}, {0: 1}, {"a": {"b": object()}}, {"x": "y" * 2**24}])
def test_state_that_would_not_return_is_refused_on_writing(run, state):
    with pytest.raises(RecordError):
        run.save_checkpoint("last", {}, state)
    assert not run.has_checkpoint("last")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "last.safetensors"
    save_tensors(path, {"b": torch.arange(7.0), "a": torch.ones(2, 2, dtype=torch.float64)}, {"epoch": 1})
    return path, path.read_bytes()


def _refused(path, content) -> str:
    path.write_bytes(content)
    with pytest.raises(RecordError, match=path.name) as caught:
        load_tensors(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_every_flipped_byte_is_found(small):
    path, content = small
    rng = random.Random(0)
    for position in range(len(content)):
        for flip in (1 << rng.randrange(8), rng.randrange(1, 256)):
            _refused(path, content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :])


def test_a_cut_at_every_length_and_bytes_too_many_are_found(small):
    path, content = small
    for length in range(len(content)):
        _refused(path, content[:length])
    for extra in (b"\0", b"x" * 100, content):
        _refused(path, content + extra)


def test_sampled_flips_and_cuts_of_a_large_checkpoint_are_found(tmp_path):
    path = tmp_path / "last.safetensors"
    save_tensors(path, {f"layer{i}.weight": torch.randn(64, 64) for i in range(10)}, STATE)
    content = bytearray(path.read_bytes())
    rng = random.Random(0)
    for _ in range(100):
        position = rng.randrange(len(content))
        content[position] ^= 128
        _refused(path, content)
        content[position] ^= 128
        _refused(path, content[:position])
    path.write_bytes(content)
    assert load_tensors(path)[1] == STATE


def test_moved_names_dtypes_and_shapes_are_found(small):
    path, content = small
    for old, new in ((b'"a"', b'"c"'), (b"F64", b"I64"), (b"[2,2]", b"[4,1]"), (b":1}", b":2}"), (b":1}", b": 1")):
        assert old in content
        assert "digest differs" in _refused(path, content.replace(old, new, 1))


class _Attack:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_pickles_named_as_safetensors_are_never_opened(small, tmp_path, monkeypatch):
    path, _ = small
    monkeypatch.chdir(tmp_path)
    torch.save({"x": _Attack()}, tmp_path / "zip")
    torch.save({"x": _Attack()}, tmp_path / "old", _use_new_zipfile_serialization=False)
    for content in (pickle.dumps(_Attack()), (tmp_path / "zip").read_bytes(), (tmp_path / "old").read_bytes()):
        assert "is a pickle" in _refused(path, content)
    for protocol in (0, 1):
        _refused(path, pickle.dumps(_Attack(), protocol=protocol))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("length", [0, 1, 2**24 + 1, 2**32, 2**40, 2**63, 2**64 - 1])
def test_absurd_header_lengths_allocate_nothing(small, length):
    path, content = small
    assert "is no whole safetensors file" in _refused(path, length.to_bytes(8, "little") + content[8:]) or length < 2


def test_files_of_terabytes_are_refused_unread(small):
    path, content = small
    with path.open("wb") as file:
        file.truncate(2**42)
    with pytest.raises(RecordError, match="has 4398046511104 bytes"):
        load_tensors(path)


def _signed(header: dict, data: bytes, text: str) -> bytes:
    """A file with a right digest and any header: what an attacker can make."""
    header = {"__metadata__": {"cifar100.1": "0" * 64 + text}} | header
    body = json.dumps(header, separators=(",", ":")).encode()
    content = len(body).to_bytes(8, "little") + body + data
    digest = hashlib.sha256(content).hexdigest().encode()
    start = 8 + len(_PREFIX)
    return content[:start] + digest + content[start + 64 :]


TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TEXT = '{"state":{"a":1},"channels_last":[]}'


def test_the_forger_of_these_tests_can_make_a_valid_file(tmp_path):
    (tmp_path / "ok").write_bytes(_signed({"w": TENSOR}, b"\0" * 8, TEXT))
    tensors, state = load_tensors(tmp_path / "ok")
    assert torch.equal(tensors["w"], torch.zeros(2)) and state == {"a": 1}


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"w": TENSOR | {"shape": [2**60]}}, TEXT),
        ({"w": TENSOR | {"shape": [2**32, 2**32]}}, TEXT),
        ({"w": TENSOR | {"shape": [-2]}}, TEXT),
        ({"w": TENSOR | {"shape": [3]}}, TEXT),
        ({"w": TENSOR | {"dtype": "O"}}, TEXT),
        ({"w": TENSOR | {"data_offsets": [0, 2**50]}}, TEXT),
        ({"w": TENSOR | {"data_offsets": [8, 0]}}, TEXT),
        ({"w": TENSOR, "v": TENSOR}, TEXT),
        ({"w": []}, TEXT),
        ({"w": TENSOR | {"shape": [2**62, 2**62, 0], "data_offsets": [0, 0]}}, TEXT),
        ({"w": TENSOR}, ""),
        ({"w": TENSOR}, "[]"),
        ({"w": TENSOR}, "{}"),
        ({"w": TENSOR}, '{"state":[],"channels_last":[]}'),
        ({"w": TENSOR}, '{"state":{},"channels_last":["w"]}'),
        ({"w": TENSOR}, '{"state":{},"channels_last":["x"]}'),
        ({"w": TENSOR}, '{"state":{},"channels_last":[[]]}'),
        ({"w": TENSOR}, '{"state":{},"channels_last":3}'),
        ({"w": TENSOR}, '{"state":{"a":"\\ud800"},"channels_last":[]}'),
        ({"w": TENSOR}, '{"state":{"a":' + "9" * 5000 + '},"channels_last":[]}'),
        ({"w": TENSOR}, '{"state":{"a":' + "[" * 100 + "]" * 100 + '},"channels_last":[]}'),
        ({"w": TENSOR}, '{"state":{"a":' + "[" * 10**6),
    ],
)
def test_forged_content_with_a_right_digest_is_refused(tmp_path, header, text):
    _refused(tmp_path / "last.safetensors", _signed(header, b"\0" * 8, text))
