"""Pickles: what the original archives may hold is read, anything else is refused without running it."""

import builtins
import os
import pickle
import struct
import time
import tracemalloc

import numpy as np
import pytest

from cifar100.data.formats.pickled import load_arrays

CONTENT = {
    b"data": np.arange(60, dtype=np.uint8).reshape(5, 12),
    b"fine_labels": [3, 1, 4, 1, 5],
    b"filenames": [b"a.png", b"b.png"],
    "names": ["apple", "b\xe4r"],
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "foreign": np.arange(4, dtype=">i4"),
    "empty": np.zeros((0, 3), np.float32),
    "count": 7,
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_reads_what_python_writes(protocol: int) -> None:
    loaded = load_arrays(pickle.dumps(CONTENT, protocol), "train")
    assert list(loaded) == [key.decode() if isinstance(key, bytes) else key for key in CONTENT]
    for key in ("data", "columns", "foreign", "empty"):
        original = CONTENT.get(key, CONTENT.get(key.encode()))
        assert loaded[key].dtype == original.dtype and np.array_equal(loaded[key], original)
    assert loaded["fine_labels"] == [3, 1, 4, 1, 5] and loaded["filenames"] == ["a.png", "b.png"]
    assert loaded["names"] == ["apple", "b\xe4r"] and loaded["count"] == 7


def test_reads_what_python_2_wrote() -> None:
    """Protocol 0 by Python 2 with numpy 1, typed by hand: the form of the published archives' pickles."""
    content = (
        b"(dp1\nS'data'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntp5\nS'b'\np6\ntp7\n"
        b"Rp8\n(I1\n(I2\nI3\ntp9\ncnumpy\ndtype\np10\n(S'u1'\np11\nI0\nI1\ntp12\nRp13\n(I3\nS'|'\np14\nNNNI-1\nI-1\n"
        b"I0\ntp15\nbI00\nS'\\x00\\x01\\x02\\xfd\\xfe\\xff'\np16\ntp17\nbsS'labels'\np18\n(lp19\nI5\naL6L\nas."
    )
    loaded = load_arrays(content, "train")
    assert loaded["data"].tolist() == [[0, 1, 2], [253, 254, 255]] and loaded["data"].dtype == np.uint8
    assert loaded["labels"] == [5, 6]


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def numpy_call(function: bytes, *rest: bytes) -> bytes:
    return b"\x80\x02}X\x01\x00\x00\x00ac" + function + b"\n" + b"".join(rest) + b"s."


def nested_tuples(depth: int) -> bytes:
    """A tuple of two of the same tuple of two of ...: hashing or printing it takes 2**depth steps."""
    return b")" + b"q\x00h\x00\x86" * depth


def repeated(content: bytes, again: bytes, count: int) -> bytes:
    """A list that refers to one object again and again."""
    return b"\x80\x02}X\x01\x00\x00\x00a](" + content + b"q\x01" + again * count + b"es."


TEXT = b"T" + struct.pack("<I", 10_000) + b"x" * 10_000
HOSTILE = {
    "one text a thousand times": repeated(TEXT, b"h\x01", 1000),
    "one list under a thousand keys": b"\x80\x02}(K\x00]("
    + TEXT
    + b"eq\x01"
    + b"".join(b"M" + struct.pack("<H", number) + b"h\x01" for number in range(1, 1000))
    + b"u.",
    "one text made bytes a thousand times": repeated(
        b"c_codecs\nencode\nq\x02X" + struct.pack("<I", 10_000) + b"x" * 10_000 + b"q\x03\x85R",
        b"h\x02h\x03\x85R",
        1000,
    ),
    "os.system": pickle.dumps({"a": Calls(os.system, "echo harm > harm.txt")}),
    "eval": pickle.dumps({"a": Calls(builtins.eval, "open('harm.txt', 'w')")}),
    "getattr": pickle.dumps({"a": Calls(getattr, "", "join")}),
    "numpy.load": numpy_call(b"numpy\nload", b"U\x08harm.txt\x85R"),
    "numpy through a dotted name": b"\x80\x04}\x8c\x01a\x8c\x05numpy\x8c\x13core.multiarray.load\x93\x8c\x01x\x85Rs.",
    "other module of the same name": numpy_call(b"numpy.core.multiarray.x\n_reconstruct", b")R"),
    "object array": pickle.dumps({"data": np.array([{}, []], dtype=object)}),
    "structured array": pickle.dumps({"data": np.zeros(2, [("a", "i4")])}),
    "text array": pickle.dumps({"data": np.array(["a", "b"])}),
    "dates": pickle.dumps({"data": np.zeros(2, "M8[s]")}),
    "set": pickle.dumps({"a": {1, 2}}, 4),
    "complex": pickle.dumps({"a": 1j}),
    "nested lists": pickle.dumps({"a": [[1], [2]]}),
    "nested dicts": pickle.dumps({"a": {"b": 1}}),
    "not a dict": pickle.dumps([1, 2]),
    "persistent id": b"\x80\x02}X\x01\x00\x00\x00aU\x01xQs.",
    "extension": b"\x80\x02}X\x01\x00\x00\x00a\x82\x01s.",
    "new object": b"\x80\x02}X\x01\x00\x00\x00acnumpy\nndarray\n)\x81s.",
    "old-style instance": b"(dS'a'\n(inumpy\nndarray\ns.",
    "attributes of our functions": numpy_call(
        b"numpy.core.multiarray\n_reconstruct", b"}X\x0c\x00\x00\x00__defaults__)sb"
    ),
    "slots of our functions": numpy_call(b"_codecs\nencode", b"N}X\x0c\x00\x00\x00__defaults__)s\x86b"),
    "other encoding": numpy_call(b"_codecs\nencode", b"X\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R"),
    "array without content": numpy_call(b"numpy.core.multiarray\n_reconstruct", b")R"),
    "unhashable key": b"\x80\x02}]K\x01s.",
    "expensive key": b"\x80\x02}" + nested_tuples(60) + b"K\x01s.",
    "expensive keys": b"\x80\x02}(" + nested_tuples(60) + b"K\x01u.",
    "expensive dict": b"(" + nested_tuples(60) + b"K\x01d.",
    "expensive value": b"\x80\x02}K\x01" + nested_tuples(60) + b"s.",
    "expensive dtype": numpy_call(b"numpy\ndtype", nested_tuples(60) + b"\x85R"),
    "huge memo index": b"\x80\x02]r\xff\xff\xff\x7f.",
    "huge bytes": b"\x80\x04}\x8e" + struct.pack("<Q", 1 << 40) + b"abc",
    "huge bytearray": b"\x80\x05}\x96" + struct.pack("<Q", 1 << 34) + b"abc",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"].",
    "huge number": b"(dS'a'\nL" + b"9" * 10_000 + b"L\ns.",
    "empty file": b"",
    "text": b"hello, this is no pickle",
}
SHAPES = {
    "fewer bytes than the shape says": ((1000, 1000), "u1", b"abc"),
    "more bytes than the shape says": ((1,), "u1", b"abc"),
    "negative shape": ((-1,), "u1", b"abc"),
    "shape of huge numbers": ((1 << 60, 1 << 60), "u1", b"abc"),
    "many dimensions": ((1,) * 40, "u1", b"a"),
    "shape of text": (("a",), "u1", b"a"),
    "object dtype": ((1,), "O8", b"\0" * 8),
    "dtype of text": ((1,), "S8", b"\0" * 8),
    "pointer as content": ((1,), "u8", 12345678),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(name: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _refused(HOSTILE[name])
    assert not list(tmp_path.iterdir())
    # ... and nothing of it stays behind in the reader.
    assert load_arrays(pickle.dumps(CONTENT, 2), "train")["data"].shape == (5, 12)


@pytest.mark.parametrize("name", SHAPES)
def test_impossible_arrays_are_refused(name: str) -> None:
    shape, dtype, content = SHAPES[name]

    class Array:
        def __reduce__(self):
            state = (1, shape, Type(), False, content)
            return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), state

    class Type:
        def __reduce__(self):
            return np.dtype, (dtype, False, True), (3, "<", None, None, None, -1, -1, 0)

    _refused(pickle.dumps({"data": Array()}, 2))


def test_objects_of_a_byte_each_are_counted(monkeypatch) -> None:
    """A list of one byte takes 56 in memory."""
    monkeypatch.setattr("cifar100.data.formats.pickled._MOST_STEPS", 10_000)
    _refused(b"\x80\x02}K\x01(" + b"]" * 11_000 + b"ls.")


def test_every_truncation_is_refused() -> None:
    whole = pickle.dumps(CONTENT, 2)
    for length in range(len(whole)):
        _refused(whole[:length])


def test_flipped_bytes_never_do_more_than_change_values() -> None:
    whole = pickle.dumps(CONTENT, 4)
    random = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] = random.integers(256)
        try:
            loaded = load_arrays(bytes(damaged), "train")
        except ValueError as error:
            assert "\n" not in str(error)
        else:
            assert all(type(key) is str for key in loaded)
            assert all(type(value) in (np.ndarray, list, int, str) for value in loaded.values())


def _refused(content: bytes) -> None:
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(ValueError) as error:
        load_arrays(content, "train")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(error.value).startswith("train: ") and "\n" not in str(error.value) and len(str(error.value)) < 200
    assert peak < 2**20 and time.process_time() - start < 5
